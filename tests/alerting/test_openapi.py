"""The API does what its description says, whatever it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerting.access import ROLES
from alerting.openapi.operations import OPERATIONS
from tests.alerting.desk import ALERTING, RULES
from tests.alerting.loopback import SECRET
from tests.alerting.process import AlertingProcess
from tests.fuzzing import findings_of

SETTINGS = Path(__file__).with_name("schemathesis.toml")


def test_the_description_knows_every_call_and_no_other():
    assert set(OPERATIONS) == set(ROLES)


def test_the_description_names_the_role_each_call_needs(client):
    paths = client.get("/api/openapi.json").json["paths"]
    assert paths["/api/v1/rules/{name}/mode"]["post"]["description"] == "Needs the role admin."


WITHOUT_LIMIT = "rate_limits: {requests_per_minute: null}\n"
"""It asks some thousand times as fast as it can."""


@pytest.fixture
def process(tmp_path):
    (tmp_path / "alerting.yml").write_text(ALERTING + WITHOUT_LIMIT)
    rules = RULES.replace("URL", "http://127.0.0.1:1").replace("DEDUPLICATES", "true")
    (tmp_path / "remediation.yml").write_text(rules)
    process = AlertingProcess(tmp_path, {"TEST_SECRET": SECRET})
    process.start()
    yield process
    process.stop()


@pytest.mark.live
def test_schemathesis_finds_nothing(process, tmp_path):
    dead = {"labels": {"alertname": "WorkerDead", "service": "shop", "process": "w"}}
    process.peer.post("/api/v2/alerts", [dead])
    assert findings_of(process.peer.base_url, settings=SETTINGS, directory=tmp_path) == ""
