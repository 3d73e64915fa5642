"""The API does what its description says, whatever it is sent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from remediation.openapi import OPERATIONS
from tests.fuzzing import findings_of
from tests.ports import free_port
from tests.remediation.test_endpoint import CACHE
from tests.waiting import wait_until
from watchkeeper.openapi import endpoints_of
from watchkeeper.peers import Peer

ROOT = Path(__file__).parents[2]


def test_the_description_knows_every_call_and_no_other(endpoint):
    assert endpoints_of(endpoint().service.app) == set(OPERATIONS)


def test_the_description_is_served_and_says_who_may_call(endpoint):
    told = endpoint().http.get("/api/openapi.json").get_json()["paths"]["/api/v1/actions"]
    assert told["post"]["description"] == "Needs the role operator and a signature."
    assert told["post"]["security"] == [{"signature": []}, {"signature": [], "token": []}]


@pytest.fixture
def url(write_config, data_dir):
    """The endpoint as a process of its own, with one call in its ledger."""
    config, port = write_config(clear_cache={"shop": CACHE}), free_port()
    command = [
        sys.executable, "-m", "watchkeeper", "remediation",
        "--config", config, "--listen", f"127.0.0.1:{port}",
    ]  # fmt: skip
    with (data_dir / "endpoint.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, env=os.environ)
    try:
        peer = Peer("remediation", base_url=f"http://127.0.0.1:{port}")
        wait_until(
            lambda: answers(peer), timeout_seconds=120, what=f"it answers: {data_dir}/endpoint.log"
        )
        yield peer.base_url
    finally:
        process.kill()
        process.wait()


def answers(peer):
    try:
        return peer.get("/api/v1/actions")
    except Exception:  # noqa: BLE001  # not yet
        return None


@pytest.mark.live
def test_schemathesis_finds_nothing(url, tmp_path):
    found = findings_of(
        url,
        settings=Path(__file__).with_name("schemathesis.toml"),
        directory=tmp_path,
        hooks="tests.remediation.signing_hooks",
    )
    assert found == ""
