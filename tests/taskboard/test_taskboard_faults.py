import os
import subprocess
import sys

import pytest

from taskboard.subtle_faults import EXTRA_OVERVIEWS
from taskboard.vocabulary import WORDS
from tests.taskboard.conftest import BETA_MEMORY_LIMIT_MEBIBYTES, call
from tests.waiting import wait_until

pytestmark = pytest.mark.live

MEBIBYTE = 1 << 20


@pytest.fixture
def switch(taskboard):
    """Switches faults on; off again when the test ends."""
    switched = []

    def on(name, agent="alpha"):
        url = taskboard.url(agent, f"/faults/{name}")
        switched.append(url)
        status, answer = call("POST", url)
        assert (status, answer) == (200, {"name": name, "active": True})

    yield on
    for url in switched:
        status, answer = call("DELETE", url)
        assert (status, answer["active"]) == (200, False)


def mean_seconds(taskboard, route, action):
    labels = {"http_route": route}
    family = "http_server_request_duration_seconds"
    before = [taskboard.sum_of("alpha", f"{family}_{part}", **labels) for part in ("sum", "count")]
    for _ in range(3):
        action()
    after = [taskboard.sum_of("alpha", f"{family}_{part}", **labels) for part in ("sum", "count")]
    return (after[0] - before[0]) / (after[1] - before[1])


def test_slow_responses_add_a_quarter_second_to_reading_a_task_and_to_nothing_else(
    taskboard, switch
):
    task = taskboard.create("mend the report")
    switch("slow-responses")
    detail = "/tasks/<uuid:task_id>"
    # A request is counted just after it was answered, so one from before may come in between.
    assert wait_until(
        lambda: mean_seconds(taskboard, detail, lambda: taskboard.find(task["id"])) >= 0.25,
        what="a quarter of a second more for each task that is read",
    )
    # The handler of the board does not wait; what it waits for here it would also wait for before.
    untouched = wait_until(
        lambda: (
            mean_seconds(taskboard, "/board", lambda: call("GET", taskboard.url("alpha", "/board")))
            < 0.25
        ),
        what="a quick board while reading tasks is slow",
    )
    assert untouched


def test_an_error_burst_fails_a_share_of_one_route(taskboard, switch):
    switch("error-burst")
    url = taskboard.url("alpha", "/board")
    wait_until(lambda: call("GET", url)[0] == 500, what="a failing board")
    wait_until(lambda: call("GET", url)[0] == 200, what="a board that still works at times")
    assert call("GET", taskboard.url("alpha", "/search?q=visa"))[0] == 200


def test_a_memory_leak_grows_to_the_declared_limit_and_not_beyond(taskboard, switch):
    def resident():
        return taskboard.metrics("beta")["process_resident_memory_bytes", ()]

    limit_bytes = BETA_MEMORY_LIMIT_MEBIBYTES * MEBIBYTE
    switch("memory-leak", agent="beta")
    full = wait_until(
        lambda: (found := resident()) > limit_bytes - 6 * MEBIBYTE and found,
        what="memory close to its limit",
    )
    assert full <= limit_bytes + MEBIBYTE
    call("DELETE", taskboard.url("beta", "/faults/memory-leak"))
    wait_until(lambda: resident() < full - 2 * MEBIBYTE, what="memory given back")


def test_a_poisoned_cache_fails_search_until_its_keys_are_deleted(taskboard, switch):
    url = taskboard.url("alpha", f"/search?q={WORDS[0]}")
    switch("poisoned-cache")
    assert call("GET", url)[0] == 500
    assert call("GET", taskboard.url("alpha", "/board"))[0] == 200
    keys = list(taskboard.broker.scan_iter("taskboard:cache:*"))
    taskboard.broker.unlink(*keys)
    assert call("GET", url)[0] == 200
    _, answer = call("GET", taskboard.url("alpha", "/faults"))
    assert {"name": "poisoned-cache", "active": False} in answer["faults"]


def test_a_surge_puts_hundreds_of_slow_jobs_on_the_queue_and_clearing_it_drains_them(
    taskboard, switch
):
    switch("task-surge")
    assert taskboard.depth() > 500
    call("DELETE", taskboard.url("alpha", "/faults/task-surge"))
    wait_until(lambda: taskboard.depth() == 0, what="an empty queue")


def test_jobs_wait_while_no_worker_lives_and_are_done_when_one_is_back(taskboard):
    wait_until(lambda: taskboard.depth() == 0, what="an empty queue")
    taskboard.stop("worker", number=9)
    try:
        tasks = [taskboard.create("send the invoice") for _ in range(8)]
        wait_until(lambda: taskboard.depth() >= 8, what="eight jobs waiting")
        assert not any(taskboard.find(task["id"])["estimate_minutes"] for task in tasks)
    finally:
        taskboard.start_worker()
    wait_until(
        lambda: all(taskboard.find(task["id"])["estimate_minutes"] for task in tasks),
        what="all eight done",
    )
    assert taskboard.sum_of("worker", "task_wait_seconds_count") >= 8


def test_a_cold_cache_answers_every_search_and_keeps_nothing(taskboard, switch):
    url = taskboard.url("alpha", f"/search?q={WORDS[1]}")
    switch("cold-cache")
    assert call("GET", url)[0] == 200
    wait_until(
        lambda: not list(taskboard.broker.scan_iter("taskboard:cache:search:alpha:*")),
        what="what was found being evicted",
    )
    assert call("GET", url)[0] == 200


def test_a_query_storm_asks_the_database_again_for_what_it_has(taskboard, switch):
    family, labels = "db_client_operation_duration_seconds_count", {"db_operation_name": "overview"}
    url = taskboard.url("alpha", "/board")
    before = taskboard.sum_of("alpha", family, **labels)
    assert call("GET", url)[0] == 200
    assert taskboard.sum_of("alpha", family, **labels) == before + 1
    switch("query-storm")
    assert call("GET", url)[0] == 200
    assert taskboard.sum_of("alpha", family, **labels) == before + 1 + 1 + EXTRA_OVERVIEWS


def test_refused_handovers_are_conflicts_and_leave_the_task_where_it_is(taskboard, switch):
    task = taskboard.create("file the contract")
    url = taskboard.url("alpha", f"/tasks/{task['id']}/handover")
    switch("refused-handovers")
    assert call("POST", url)[0] == 409
    call("DELETE", taskboard.url("alpha", "/faults/refused-handovers"))
    assert call("POST", url)[0] == 200


def test_unknown_faults_are_refused_with_the_list_of_those_there_are(taskboard):
    status, text = call("POST", taskboard.url("alpha", "/faults/earthquake"))
    assert status == 404
    assert "slow-responses" in text


def test_without_being_asked_for_faults_do_not_exist(taskboard):
    listen = f"127.0.0.1:{taskboard.ports['spare']}"
    taskboard.start("spare", "web", "--agent", "alpha", "--listen", listen, TASKBOARD_FAULTS="")
    try:
        taskboard.wait_ready("spare")
        assert call("GET", taskboard.url("spare", "/faults"))[0] == 404
        assert call("POST", taskboard.url("spare", "/faults/memory-leak"))[0] == 404
    finally:
        assert taskboard.stop("spare") == 0


def test_a_setting_that_cannot_be_used_is_named(taskboard):
    command = [sys.executable, "-m", "taskboard", "web", "--agent", "alpha"]
    environment = {**os.environ, "TASKBOARD_MEMORY_LIMIT_MEBIBYTES": "lots"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "TASKBOARD_MEMORY_LIMIT_MEBIBYTES: expected a number, got 'lots'" in ended.stderr
