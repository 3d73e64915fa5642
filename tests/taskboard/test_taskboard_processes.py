import signal

import psutil
import pytest

from tests.ports import can_connect
from tests.taskboard.conftest import Taskboard, call
from tests.waiting import wait_until

pytestmark = pytest.mark.live


@pytest.fixture
def apart(tmp_path):
    """A taskboard of its own, nothing started yet."""
    own = Taskboard(tmp_path)
    yield own
    own.stop_everything()


def start_postgres(apart):
    port = apart.ports["postgres"]
    data = str(apart.directory / "postgres")
    started = apart.start("postgres", "postgres", "--port", str(port), "--data-dir", data)
    apart.wait_for("postgres", apart.database_answers)
    return psutil.Process(started.pid).children(recursive=True)


def test_postgresql_dies_with_its_command_and_starts_again_with_its_data(apart):
    servers = start_postgres(apart)
    assert servers
    apart.stop("postgres", signal.SIGKILL)
    wait_until(lambda: not any(map(psutil.Process.is_running, servers)), what="all of it gone")
    start_postgres(apart)
    assert apart.query("SELECT extname FROM pg_extension WHERE extname = 'pg_stat_statements'")


def test_the_redis_compatible_server_ends_cleanly(apart):
    apart.start("valkey", "valkey", "--port", str(apart.ports["valkey"]))
    apart.wait_for("valkey", lambda: can_connect(apart.ports["valkey"]))
    assert apart.stop("valkey") == 0


def test_a_worker_and_the_load_end_cleanly_when_asked_to(taskboard):
    taskboard.start("load", "load", "--listen", f"127.0.0.1:{taskboard.ports['load']}")
    taskboard.start(
        "spare", "worker", "--instance", "2", "--metrics-port", str(taskboard.ports["spare"])
    )
    for name in ("load", "spare"):
        taskboard.wait_ready(name)
    assert taskboard.stop("load") == 0
    assert taskboard.stop("spare") == 0
    assert "Traceback" not in taskboard.log("load") + taskboard.log("spare")


def test_the_load_keeps_both_agents_and_the_worker_busy(taskboard):
    listen = f"127.0.0.1:{taskboard.ports['load']}"
    taskboard.start("load", "load", "--listen", listen, "--rate", "100")
    taskboard.wait_ready("load")
    served = "http_server_request_duration_seconds_count"
    try:
        for agent, route in (
            ("alpha", "/search"),
            ("alpha", "/tasks/<uuid:task_id>/handover"),
            ("beta", "/board"),
            ("beta", "/tasks/<uuid:task_id>/complete"),
        ):
            before = taskboard.sum_of(agent, served, http_route=route)
            wait_until(
                lambda agent=agent, route=route, before=before: (
                    taskboard.sum_of(agent, served, http_route=route) > before
                ),
                what=f"requests to {route} of {agent}",
            )
    finally:
        taskboard.stop("load")


def test_an_agent_without_its_database_is_alive_but_not_ready_and_says_why(apart):
    servers = start_postgres(apart)
    apart.start("valkey", "valkey", "--port", str(apart.ports["valkey"]))
    apart.wait_for("valkey", lambda: can_connect(apart.ports["valkey"]))
    listen = f"127.0.0.1:{apart.ports['alpha']}"
    apart.start("alpha", "web", "--agent", "alpha", "--listen", listen)
    apart.wait_ready("alpha")
    assert apart.stop("postgres") == 0
    assert not any(map(psutil.Process.is_running, servers))
    status, answer = wait_until(
        lambda: (found := call("GET", apart.url("alpha", "/readyz")))[0] == 503 and found,
        what="not ready",
    )
    assert status == 503
    assert answer["reasons"]
    assert call("GET", apart.url("alpha", "/healthz"))[0] == 200
    start_postgres(apart)
    apart.wait_ready("alpha")
