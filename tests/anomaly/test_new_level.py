"""A level that lasts keeps firing until a person calls it the new normal, from either place."""

import threading
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from anomaly.episode_command import episode
from dashboards.console import feedback
from tests.anomaly.series import noise, time_of
from tests.anomaly.test_feedback_api import Desk
from watchkeeper.clock import ManualClock
from watchkeeper.peers import Peer

JUMP = 100
A_WINDOW_LATER = 450
"""All the history there is lies after the jump by then."""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """An anomaly service whose series went up for good a whole window ago, asked over HTTP."""
    values = noise(600)
    values[JUMP:] += 30
    desk = Desk(
        tmp_path / "anomaly.db",
        ManualClock(datetime.fromtimestamp(time_of(90), UTC)),
        values,
    )
    for sample in (90, 130, 380, A_WINDOW_LATER):
        desk.run_to(sample)
    server = make_server("127.0.0.1", 0, desk.app)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    monkeypatch.setenv("WATCHKEEPER_ANOMALY_URL", f"http://127.0.0.1:{server.server_port}")
    yield desk
    server.shutdown()
    thread.join()
    server.server_close()


def run(*arguments: str):
    found = CliRunner().invoke(episode, arguments, catch_exceptions=False, env={"COLUMNS": "200"})
    assert found.exit_code == 0, found.output
    return found.output


def band_and_score(desk: Desk) -> tuple[float, float]:
    (view,) = desk.runner.views()
    return view.expected, view.score


def test_it_fires_for_as_long_as_nobody_says_otherwise(desk):
    (one,) = desk.episodes()
    assert (one["started_at"], one["ending"]) == ("2025-06-15T15:23:20.000Z", None)
    expected, score = band_and_score(desk)
    assert expected == pytest.approx(10, abs=1)
    assert score > 1


def test_the_command_lists_it_accepts_it_and_takes_that_back(desk):
    (one,) = desk.episodes()
    listed = run("list", "--open")
    assert one["id"] in listed
    assert "goes on" in listed
    said = run("accept", one["id"], "--reason", "twice the users", "--by", "ada")
    desk.run_to(A_WINDOW_LATER + 1)
    (accepted,) = desk.episodes()
    assert (accepted["id"], accepted["ending"]) == (one["id"], "accepted")
    expected, score = band_and_score(desk)
    assert expected == pytest.approx(40, abs=1)
    assert score < 1
    assert "no episodes" in run("list", "--open")
    run("undo", said.split("undo ")[1].split()[0], "--by", "grace")
    desk.run_to(A_WINDOW_LATER + 2)
    assert desk.episodes()[0]["ending"] is None


def test_the_console_accepts_it_by_its_series(desk):
    (one,) = desk.episodes()
    feedback.say(Peer("anomaly"), "accept", one["series"], by="ada", reason="twice the users")
    desk.run_to(A_WINDOW_LATER + 1)
    assert desk.episodes()[0]["ending"] == "accepted"
    expected, score = band_and_score(desk)
    assert expected == pytest.approx(40, abs=1)
    assert score < 1
    (word,) = feedback.listed(Peer("anomaly"))
    assert (word.kind, word.by, word.holds) == ("accept", "ada", True)


def test_the_command_ends_what_is_no_problem(desk):
    (one,) = desk.episodes()
    run("not-a-problem", one["id"], "--reason", "a load test", "--by", "ada")
    desk.run_to(A_WINDOW_LATER + 1)
    assert desk.episodes()[0]["ending"] == "not-a-problem"
