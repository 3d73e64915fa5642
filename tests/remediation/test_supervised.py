"""Restart and scale-out through a real supervisor."""

import os
import signal
from contextlib import ExitStack

import psutil
import pytest

from tests.supervisor.stacks import RunningSupervisor, server
from watchkeeper.supervisor.status import State


@pytest.fixture
def supervise(data_dir):
    with ExitStack() as started:
        yield lambda **processes: started.enter_context(
            RunningSupervisor(data_dir, **processes).running()
        )


@pytest.fixture
def shop(endpoint):
    return endpoint(
        restart_service={"worker": {"time_limit": "20s"}}, scale_out={"worker": {"maximum": 3}}
    )


def restart(**data):
    return {"action": "restart-service", "target": "worker", **data}


def scale(**data):
    return {"action": "scale-out", "target": "worker", **data}


def test_a_dead_worker_is_restarted(supervise, shop):
    stack = supervise(worker=server(restart="on-request"))
    os.kill(stack.wait("worker").pid, signal.SIGKILL)
    stack.wait("worker", State.EXITED)
    entry = shop.finished(shop.call(**restart()))
    assert (entry["state"], entry["summary"]) == ("succeeded", "restarted worker")
    status = stack.one("worker")
    assert status.state is State.READY
    assert entry["detail"] == {
        "before": {"worker": None},
        "after": {"worker": str(status.pid)},
    }


def test_a_living_process_is_replaced(supervise, shop):
    first = supervise(worker=server()).wait("worker")
    assert shop.finished(shop.call(**restart()))["state"] == "succeeded"
    assert not psutil.pid_exists(first.pid)


def test_a_restart_that_does_not_come_up_is_a_failure_with_its_reason(supervise, shop):
    supervise(worker={"command": ["{python}", "-c", "raise SystemExit('no room')"], "port": 1})
    entry = shop.finished(shop.call(**restart()))
    assert entry["state"] == "failed"
    assert "no room" in entry["error"]


def test_a_dry_run_says_what_it_would_do_and_does_nothing(supervise, shop):
    stack = supervise(worker=server(maximum_instances=3))
    first = stack.wait("worker")
    told = shop.finished(shop.call(**restart(dry_run=True)))
    assert (told["state"], told["summary"]) == ("succeeded", "would restart worker (ready)")
    told = shop.finished(shop.call(**scale(dry_run=True, parameters={"by": 2})))
    assert told["summary"] == "would scale worker from 1 to 3 instance(s)"
    assert stack.client.processes() == [first]


def test_workers_are_added_up_to_the_maximum_and_then_no_more(supervise, shop):
    stack = supervise(worker=server(maximum_instances=5)).wait_all_ready()
    first = shop.finished(shop.call(**scale(parameters={"by": 2, "maximum": 5})))
    assert (first["state"], first["detail"]) == ("succeeded", {"before": 1, "after": 3})
    assert len(stack.client.processes()) == 3
    second = shop.finished(shop.call(**scale(parameters={"by": 1})))
    assert second["state"] == "failed"
    assert "the most allowed is 3" in second["error"]


def test_scaling_immediately_goes_to_the_maximum_at_once(supervise, endpoint):
    stack = supervise(worker=server(maximum_instances=5)).wait_all_ready()
    shop = endpoint(scale_immediately={"worker": {"maximum": 3}}, auto_scale={})
    entry = shop.finished(shop.call(action="scale-immediately", target="worker"))
    assert entry["detail"] == {"before": 1, "after": 3}
    assert len(stack.client.processes()) == 3


def test_asking_for_a_number_that_already_runs_is_a_success(supervise, shop):
    supervise(worker=server(instances=2, maximum_instances=5)).wait_all_ready()
    entry = shop.finished(shop.call(**scale(parameters={"instances": 2})))
    assert (entry["state"], entry["summary"]) == ("succeeded", "worker already runs 2 instance(s)")


def test_without_a_supervisor_the_action_fails_saying_so(shop):
    entry = shop.finished(shop.call(**restart()))
    assert entry["state"] == "failed"
    assert "no supervisor runs" in entry["error"]


def test_an_unknown_process_is_a_failure_that_names_it(supervise, shop):
    supervise(other=server())
    entry = shop.finished(shop.call(**restart()))
    assert "runs no process 'worker'" in entry["error"]


def test_it_is_ready_while_the_supervisor_answers(supervise, shop):
    supervise(worker=server())
    assert shop.http.get("/readyz").status_code == 200
