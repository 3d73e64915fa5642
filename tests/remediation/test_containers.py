"""Containers of a real engine, restarted through the endpoint."""

import shutil

import pytest

from remediation.runtimes.container import EngineContainer
from remediation.targets.service import ContainerAddress
from tests.remediation import podman
from watchkeeper.errors import NeverSent, UpstreamError

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not all(map(shutil.which, podman.NEEDED)), reason=f"needs {', '.join(podman.NEEDED)}"
    ),
]


@pytest.fixture(scope="module")
def engine():
    with podman.running() as engine:
        engine.start("shop")
        yield engine


@pytest.fixture
def shop(endpoint, engine):
    address = {"name": "shop", "socket": str(engine.socket), "stop_timeout": 0}
    return endpoint(restart_service={"shop": {"container": address, "time_limit": "20s"}})


def restart(**data):
    return {"action": "restart-service", "target": "shop", **data}


def test_a_container_is_replaced_by_a_new_start_of_it(shop, engine):
    before = engine.pid_of("shop")
    entry = shop.finished(shop.call(**restart()))
    assert (entry["state"], entry["summary"]) == ("succeeded", "restarted shop")
    assert engine.pid_of("shop") not in (before, 0)


def test_one_that_has_ended_is_started(shop, engine):
    engine.run("kill", "shop")
    entry = shop.finished(shop.call(**restart()))
    assert entry["state"] == "succeeded"
    assert entry["detail"]["before"] == {"shop": None}


def test_a_dry_run_restarts_nothing(shop, engine):
    before = engine.pid_of("shop")
    entry = shop.finished(shop.call(**restart(dry_run=True)))
    assert entry["summary"] == "would restart shop (running)"
    assert engine.pid_of("shop") == before


def test_copies_have_no_numbers(shop):
    answer = shop.call(**restart(parameters={"instance": 1}))
    assert answer.status_code == 422
    assert "have no numbers" in answer.get_json()["error"]["message"]


def test_a_container_that_is_not_there_is_named(engine):
    other = EngineContainer(ContainerAddress(name="other", socket=engine.socket), 5)
    with pytest.raises(UpstreamError, match="no container 'other'"):
        other.instances()


def test_an_engine_that_is_away_was_never_asked(tmp_path):
    shop = EngineContainer(ContainerAddress(name="shop", socket=tmp_path / "none.sock"), 5)
    with pytest.raises(NeverSent, match="no engine"):
        shop.instances()
