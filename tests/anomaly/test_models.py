"""A trained network outlives the process that trained it."""

import logging
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from anomaly.autoencoder.weights import initial_weights
from anomaly.chain import terms_of
from anomaly.detectors.lstm_autoencoder import UNITS, LstmAutoencoder
from anomaly.evaluation import QueryEvaluation
from anomaly.ledger import Ledger
from anomaly.models import Model, UnreadableModelError
from anomaly.runner import QueryRunner
from anomaly.settings import QuerySettings
from tests.anomaly.series import Recorded, block, noise, query, scores_of, time_of
from watchkeeper.clock import ManualClock
from watchkeeper.storage import open_database, sqlite_url

ROOT = Path(__file__).parents[2]
NAME = "lstm-autoencoder"
SETTINGS = query().model_copy(update={"detector": NAME})
"""Set past the check that torch is there: scoring needs none."""

UNTAUGHT = Model(initial_weights(UNITS, seed=4).to_bytes(), time_of(10_000))
"""As from a training after all samples of a test, so that none of them begins another."""


def ledger_in(directory: Path) -> Ledger:
    return Ledger(open_database(sqlite_url(directory / "anomaly.db")))


def runner_in(directory: Path, *, now: float, settings: QuerySettings = SETTINGS) -> QueryRunner:
    return QueryRunner(
        "q",
        settings,
        reader=Recorded({"/search": noise(300)}),
        ledger=ledger_in(directory),
        clock=ManualClock(datetime.fromtimestamp(now, UTC)),
    )


def test_a_model_comes_back_for_the_same_question_only(tmp_path):
    first, second = Model(b"one", 5.0), Model(b"two", 6.0)
    ledger_in(tmp_path).models.save("q", SETTINGS, {NAME: first})
    assert ledger_in(tmp_path).models.of("q", SETTINGS) == {NAME: first}
    ledger_in(tmp_path).models.save("q", SETTINGS, {NAME: second})
    assert ledger_in(tmp_path).models.of("q", SETTINGS) == {NAME: second}
    for other in ({"expression": "other"}, {"step": 20.0}):
        changed = SETTINGS.model_copy(update=other)
        assert ledger_in(tmp_path).models.of("q", changed) == {}
    assert ledger_in(tmp_path).models.of("another", SETTINGS) == {}


def test_a_taken_up_network_judges_as_soon_as_its_series_is_known_and_is_not_trained_again():
    evaluation = QueryEvaluation("q", SETTINGS)
    evaluation.take_up(NAME, UNTAUGHT)
    evaluation.advance(block({"/search": noise(120)}))
    assert np.isfinite(scores_of(evaluation)).any()
    assert evaluation.models() == {NAME: UNTAUGHT}


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", initial_weights(UNITS + 1, seed=4).to_bytes()]
)
def test_what_is_no_model_of_it_changes_nothing(content):
    detector = LstmAutoencoder(terms_of(SETTINGS))
    with pytest.raises(UnreadableModelError):
        detector.take_up(Model(content, 0.0))
    assert detector.model() is None


def test_a_damaged_model_is_told_and_the_query_goes_on_without(tmp_path, caplog):
    damaged = Model(UNTAUGHT.content[:-40], UNTAUGHT.until_seconds)
    ledger_in(tmp_path).models.save("q", SETTINGS, {NAME: damaged})
    with caplog.at_level(logging.WARNING):
        runner = runner_in(tmp_path, now=time_of(20))
    assert "a kept model cannot be read and is trained anew" in caplog.text
    assert runner.evaluation.models() == {}
    assert runner.run().error is None


def test_no_model_is_from_after_now_however_a_clock_was_set(tmp_path):
    ledger_in(tmp_path).models.save("q", SETTINGS, {NAME: UNTAUGHT})
    runner = runner_in(tmp_path, now=time_of(20))
    assert runner.evaluation.models()[NAME].until_seconds == time_of(20)


TRAIN_THEN_WAIT = """
import sys
from pathlib import Path
from tests.anomaly.test_models import SETTINGS, runner_in, time_of
runner = runner_in(Path(sys.argv[1]), now=time_of(280))
assert runner.run().error is None
print("kept", flush=True)
sys.stdin.read()
"""


@pytest.mark.deep
def test_after_a_kill_the_trained_network_is_in_force_at_once(tmp_path):
    command = [sys.executable, "-c", TRAIN_THEN_WAIT, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": ROOT}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"kept\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    kept = ledger_in(tmp_path).models.of("q", SETTINGS)
    assert set(kept) == {NAME}
    again = runner_in(tmp_path, now=time_of(280))
    assert again.evaluation.models() == kept
    # The window is read again; it is what the network was trained on, and teaches it nothing.
    assert again.run().error is None
    assert again.evaluation.models() == kept
    assert np.isfinite(scores_of(again.evaluation)).any()
