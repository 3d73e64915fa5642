"""The API does what its description says, whatever it is sent."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import waitress

from anomaly.openapi import OPERATIONS
from anomaly.service import AnomalyService
from anomaly.settings import AnomalySettings
from tests.anomaly.series import time_of
from tests.anomaly.test_feedback_api import Desk
from tests.fuzzing import findings_of
from watchkeeper.clock import ManualClock
from watchkeeper.openapi import endpoints_of
from watchkeeper.peers import Peer
from watchkeeper.reloading import follow
from watchkeeper.serving import Service


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "anomaly.db", ManualClock(datetime.fromtimestamp(time_of(90), UTC)))
    desk.run_to(90)
    desk.run_to(120)
    return desk


@pytest.fixture
def app(desk, tmp_path):
    """The whole API, with a series that had an episode, and somebody's word about it."""
    (tmp_path / "anomaly.yml").write_text("queries: {}")
    shell = Service("anomaly", import_name=__name__)
    service = AnomalyService(
        shell,
        config=follow(shell, tmp_path / "anomaly.yml", AnomalySettings),
        ledger=desk.ledger,
        open_reader=lambda _timeout: desk.runner._reader,
        receiver=Peer("alerting"),
        clock=desk.clock,
    )
    service._runners = {desk.runner.name: desk.runner}
    return shell.app


def test_the_description_knows_every_call_and_no_other(app):
    assert endpoints_of(app) == set(OPERATIONS)


@pytest.mark.live
def test_schemathesis_finds_nothing(app, desk, tmp_path):
    (episode,) = desk.episodes()
    assert desk.say(kind="not-a-problem", episode=episode["id"]).status_code == 201
    server = waitress.create_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.effective_port}"
        settings = Path(__file__).with_name("schemathesis.toml")
        assert findings_of(url, settings=settings, directory=tmp_path) == ""
        assert app.test_client().get("/api/v1/episodes").get_json()["episodes"]
    finally:
        server.close()
        thread.join(60)
