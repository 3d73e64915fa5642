"""Who looks is answered while a long history is worked through."""

import threading

import numpy as np

from anomaly.evaluation import QueryEvaluation
from anomaly.turns import Turns
from tests.anomaly.series import block, query

SAMPLES = 200


def test_a_view_is_answered_in_the_middle_of_a_long_block():
    evaluation = QueryEvaluation("response-time", query())
    answered = threading.Event()
    ticks_before_the_answer = 0

    def look():
        evaluation.views(0.0)
        answered.set()

    looker = threading.Thread(target=look)

    def told(_verdict):
        nonlocal ticks_before_the_answer
        if looker.ident is None:
            looker.start()
        if not answered.is_set():
            ticks_before_the_answer += 1
            answered.wait(0.3)  # nobody can be answered within a tick

    evaluation.advance(block({"web": np.arange(float(SAMPLES))}), told=told)
    looker.join()
    assert ticks_before_the_answer <= 2  # an ordinary lock takes six and more


def test_a_holder_may_take_it_again_and_gives_it_back_once():
    turns = Turns()
    with turns, turns:
        pass
    taken = threading.Event()

    def take():
        with turns:
            taken.set()

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    thread.join(60)
    assert taken.is_set()


def test_two_never_hold_it_at_once():
    turns, counts = Turns(), [0]

    def add():
        for _ in range(2000):
            with turns:
                before = counts[0]
                counts[0] = before + 1

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [8000]
