"""Debian's amtool, unchanged, against us."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.alerting.desk import ALERTING
from tests.alerting.process import AlertingProcess

AMTOOL = shutil.which("amtool")

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(AMTOOL is None, reason="amtool is not installed (prometheus-alertmanager)"),
]


@pytest.fixture
def process(tmp_path):
    (tmp_path / "alerting.yml").write_text(ALERTING)
    (tmp_path / "remediation.yml").write_text("")
    service = AlertingProcess(tmp_path, {})
    service.start()
    yield service
    service.stop()


def test_amtool_adds_lists_and_expires_silences_and_lists_alerts(process):
    def amtool(*arguments: str) -> str:
        url = f"--alertmanager.url=http://127.0.0.1:{process.port}"
        done = subprocess.run(
            [str(AMTOOL), url, *arguments], capture_output=True, text=True, check=False, timeout=30
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    amtool("alert", "add", "Slow", "service=shop", "severity=warning", "--annotation=summary=x")
    amtool("alert", "add", "Dead", "service=bank")
    assert {"Slow", "Dead"} <= set(amtool("alert", "query").split())
    [slow] = json.loads(amtool("alert", "query", "service=shop", "-o", "json"))
    assert slow["labels"]["alertname"] == "Slow"

    silence_id = amtool(
        "silence", "add", "alertname=~S.*", "--comment=planned", "--author=ana", "--duration=1h"
    ).strip()
    [silence] = json.loads(amtool("silence", "query", "-o", "json"))
    assert (silence["id"], silence["status"]["state"]) == (silence_id, "active")
    assert "Slow" not in amtool("alert", "query").split()
    [muted] = json.loads(amtool("alert", "query", "--silenced", "-o", "json"))
    assert muted["status"]["silencedBy"] == [silence_id]

    amtool("silence", "update", silence_id, "--duration=2h")
    [updated] = json.loads(amtool("silence", "query", "-o", "json"))
    assert updated["id"] == silence_id
    assert updated["endsAt"] > silence["endsAt"]
    amtool("silence", "expire", silence_id)
    assert json.loads(amtool("silence", "query", "-o", "json")) == []
    assert "Slow" in amtool("alert", "query").split()
    assert "receivers" in amtool("config", "show")
    assert "slack" in process.peer.get("/api/v2/receivers")[0]["name"]
