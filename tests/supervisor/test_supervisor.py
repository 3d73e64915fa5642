import os
import signal

import psutil
import pytest
import requests

from tests.ports import free_ports
from tests.supervisor.stacks import server
from tests.waiting import wait_until
from watchkeeper.errors import Refused, UpstreamError
from watchkeeper.supervisor.logfile import MAX_BYTES
from watchkeeper.supervisor.status import State


def crash(status):
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{status.url}/crash", timeout=5)


def is_alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_process_is_ready_when_it_says_so(supervise):
    stack = supervise(web=server())
    status = stack.wait("web")
    assert requests.get(f"{status.url}/readyz", timeout=5).ok
    assert (status.reason, status.restarts) == ("", 0)


def test_a_process_gets_the_environment_it_asks_for(supervise, tmp_path):
    code = "import os, pathlib; pathlib.Path(os.environ['WHERE']).write_text(os.environ['WHAT'])"
    written = tmp_path / "written"
    environment = {"WHERE": str(written), "WHAT": "{port} {data_dir}"}
    stack = supervise(
        job={"command": ["{python}", "-c", code], "port": 1, "environment": environment}
    )
    expected = f"1 {stack.data_dir}"
    wait_until(lambda: written.exists() and written.read_text() == expected, what="it was told")


def test_a_process_that_is_not_ready_shows_its_own_reasons(supervise):
    stack = supervise(web=server("not-ready"))
    stack.wait("web", State.STARTING, until=lambda one: one.reason == "the database is away")


@pytest.mark.parametrize("reasons", ['["the database is away"]', '"the database is away"'])
def test_a_process_of_the_user_may_give_its_reasons_in_any_form(supervise, reasons):
    stack = supervise(web=server(f"reasons={reasons}"))
    stack.wait("web", State.STARTING, until=lambda one: one.reason == "the database is away")


@pytest.mark.parametrize("reasons", ["7", "true", "[[]]", "null", "[{}, null]"])
def test_no_form_of_reasons_ends_the_stack(supervise, reasons):
    stack = supervise(web=server(f"reasons={reasons}"), other=server())
    stack.wait("web", State.STARTING, until=lambda one: one.reason not in ("", "just started"))
    assert stack.client.restart("other")


def test_one_that_cannot_be_started_is_tried_again_and_the_others_run_on(supervise):
    stack = supervise(bad=server(), other=server()).wait_all_ready()
    blocked = stack.data_dir / "logs" / "bad.log"
    blocked.unlink()
    blocked.mkdir()
    with pytest.raises(UpstreamError, match=r"cannot be started: .*Is a directory"):
        stack.client.restart("bad")
    assert stack.one("other").state is State.READY
    blocked.rmdir()
    stack.wait("bad")


def test_a_log_that_cannot_be_kept_small_is_told_once_and_ends_nothing(supervise):
    stack = supervise(web=server()).wait_all_ready()
    (stack.data_dir / "logs" / "web.log.1").mkdir()
    with (stack.data_dir / "logs" / "web.log").open("ab") as log:
        log.truncate(MAX_BYTES + 1)
    wait_until(lambda: stack.troubles, what="the trouble was told")
    (told,) = stack.troubles
    assert "web.log.1: Is a directory" in told
    assert stack.client.restart("web")


def test_a_request_the_system_does_not_allow_fails_alone(supervise):
    stack = supervise(web=server(maximum_instances=2)).wait_all_ready()
    targets = stack.data_dir / "prometheus" / "targets"
    targets.rmdir()
    targets.write_text("in the way")
    with pytest.raises(UpstreamError, match=r"could not do it: .*File exists"):
        stack.client.scale("web", 2)
    assert [one.instance for one in stack.client.processes()] == [1]


def test_a_bug_of_ours_ends_the_stack_in_order_and_leaves_nothing(supervise):
    stack = supervise(web=server(after=["db"]), db=server()).wait_all_ready()
    pids = [one.pid for one in stack.supervisor.statuses()]

    def bug():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stack.break_with(bug)
    assert not any(is_alive(pid) for pid in pids)
    assert {one.reason for one in stack.supervisor.statuses()} == {"ended as asked"}


def test_a_crash_is_shown_with_its_reason_and_mended_after_a_pause(supervise):
    stack = supervise(web=server())
    first = stack.wait("web")
    crash(first)
    second = stack.wait("web", until=lambda one: one.restarts == 1)
    assert second.pid != first.pid
    assert State.BACKING_OFF in stack.states_of("web")
    told = [s.reason for many in stack.changes for s in many if s.state is State.BACKING_OFF]
    assert told[0] == "ended with exit code 3: asked to crash; starts again in 0.5 s"


def test_a_process_that_keeps_ending_waits_longer_each_time(supervise):
    stack = supervise(bad={"command": ["{python}", "-c", "raise SystemExit(7)"], "port": 1})
    stack.wait("bad", State.BACKING_OFF, until=lambda one: "again in 1 s" in one.reason)


def test_a_command_that_does_not_exist_says_so(supervise):
    stack = supervise(bad={"command": ["/no/such/program"], "port": 1})
    stack.wait("bad", State.BACKING_OFF, until=lambda one: "cannot run /no/such" in one.reason)


def test_one_that_restarts_on_request_stays_down_until_asked(supervise):
    stack = supervise(worker=server(restart="on-request"), other=server())
    first = stack.wait_all_ready().one("worker")
    stack.client.kill("worker", signal="KILL")
    down = stack.wait("worker", State.EXITED)
    assert down.reason == "killed by SIGKILL; waits until a restart is asked for"
    # The loop has turned many times when the other has been restarted, and it is still down.
    stack.client.restart("other")
    assert stack.one("worker").state is State.EXITED
    (again,) = stack.client.restart("worker")
    assert (again.state, again.restarts) == (State.READY, 1)
    assert again.pid != first.pid


def test_a_restart_answers_when_the_new_process_is_ready(supervise):
    stack = supervise(web=server())
    first = stack.wait("web")
    (second,) = stack.client.restart("web")
    assert second.state is State.READY
    assert second.pid != first.pid
    assert not is_alive(first.pid)


def test_one_instance_can_be_restarted_alone(supervise):
    stack = supervise(web=server(instances=2, maximum_instances=2)).wait_all_ready()
    before = [stack.one("web", 1).pid, stack.one("web", 2).pid]
    (second,) = stack.client.restart("web", 2)
    assert second.instance == 2
    assert stack.one("web", 1).pid == before[0]
    assert stack.one("web", 2).pid != before[1]


def test_a_restart_that_fails_says_why(supervise):
    stack = supervise(bad={"command": ["{python}", "-c", "raise SystemExit('no room')"], "port": 1})
    with pytest.raises(UpstreamError, match="did not stay up: ended with exit code 1: no room"):
        stack.client.restart("bad")


def test_a_restart_that_is_never_ready_gives_up_with_the_reason(supervise):
    stack = supervise(web=server("not-ready", ready_seconds=0.3, grace_seconds=1))
    with pytest.raises(UpstreamError, match=r"web is not ready after 1\.3 s: web: \w+"):
        stack.client.restart("web")


def test_what_does_not_end_when_asked_is_killed_after_its_grace(supervise):
    stack = supervise(web=server("stubborn", grace_seconds=0.3))
    first = stack.wait("web")
    stack.client.restart("web")
    assert not is_alive(first.pid)


def test_a_frozen_process_can_be_restarted(supervise):
    stack = supervise(web=server())
    first = stack.wait("web")
    stack.client.kill("web", signal="STOP")
    stack.client.restart("web")
    assert not is_alive(first.pid)


def test_a_process_that_hangs_is_started_again_and_shown_as_hung(supervise):
    stack = supervise(web=server(hung_after=0.5), other=server()).wait_all_ready()
    first = stack.one("web")
    os.kill(first.pid, signal.SIGSTOP)
    second = stack.wait("web", until=lambda one: one.pid != first.pid)
    assert second.restarts == 1
    told = {one.reason for many in stack.changes for one in many if one.name == "web"}
    assert "hung: no answer for 0.5 s; restarting" in told
    assert stack.one("other").restarts == 0


def test_one_that_says_it_is_not_ready_does_not_hang(supervise, tmp_path):
    flag = tmp_path / "away"
    stack = supervise(web=server(f"away-while={flag}", hung_after=0.1), other=server())
    first = stack.wait_all_ready().one("web")
    flag.touch()
    stack.wait("web", State.STARTING, until=lambda one: "away" in one.reason)
    # Many more answers are heard while others are restarted.
    for _ in range(2):
        stack.client.restart("other")
    flag.unlink()
    assert stack.wait("web").pid == first.pid


def test_one_that_hangs_before_it_was_ever_ready_may_still_be_starting(supervise):
    code = "import signal; signal.pause()"
    slow = {"command": ["{python}", "-c", code], "port": free_ports(1), "hung_after": 0.1}
    stack = supervise(slow=slow, other=server())
    stack.wait("slow", State.STARTING, until=lambda one: "nothing answers" in one.reason)
    stack.client.restart("other")
    assert stack.one("slow").restarts == 0


def test_what_a_process_leaves_behind_goes_with_it(supervise, tmp_path):
    pid_file = tmp_path / "child"
    stack = supervise(web=server("parent", environment={"CHILD_PID_FILE": str(pid_file)}))
    first = stack.wait("web")
    left_behind = int(pid_file.read_text())
    assert is_alive(left_behind)
    os.kill(first.pid, signal.SIGKILL)
    stack.wait("web", until=lambda one: one.restarts == 1)
    wait_until(lambda: not is_alive(left_behind), what=f"{left_behind} is gone")


def test_a_process_waits_for_those_it_comes_after(supervise):
    stack = supervise(web=server(after=["db"]), db=server("not-ready"))
    stack.wait("db", State.STARTING, until=lambda one: "away" in one.reason)
    held = stack.one("web")
    assert (held.state, held.pid, held.reason) == (State.STOPPED, None, "waits for db")


def test_one_that_waits_for_others_can_be_started_at_once_and_only_once(supervise):
    stack = supervise(web=server(after=["db"]), db=server("not-ready"))
    (started,) = stack.client.restart("web")
    assert (started.state, started.restarts) == (State.READY, 0)


def test_what_others_came_after_ends_last(supervise):
    stack = supervise(web=server(after=["db"]), db=server()).wait_all_ready()
    stack.stop()
    ended = [
        {one.name for one in statuses if one.pid is None}
        for statuses in stack.changes
        if any(one.reason == "ended as asked" for one in statuses)
    ]
    assert {"web"} in ended
    assert {"db"} not in ended


def test_stopping_twice_kills_what_takes_its_time(supervise):
    stack = supervise(web=server("stubborn", grace_seconds=600))
    status = stack.wait("web")
    stack.supervisor.stop()
    stack.stop()
    assert not is_alive(status.pid)


class TestScaling:
    @pytest.fixture
    def stack(self, supervise):
        scrape = {"job": "web", "service": "shop"}
        return supervise(web=server(maximum_instances=3, scrape=scrape)).wait_all_ready()

    def targets(self, stack):
        return (stack.data_dir / "prometheus" / "targets" / "web.json").read_text().count("127.0")

    def test_more_instances_are_started_and_scraped(self, stack):
        found = stack.client.scale("web", 3)
        assert [(one.instance, one.state) for one in found] == [(n, State.READY) for n in (1, 2, 3)]
        assert len({one.port for one in found}) == 3
        assert self.targets(stack) == 3

    def test_fewer_instances_end_from_the_last_and_are_no_longer_scraped(self, stack):
        pids = [one.pid for one in stack.client.scale("web", 2)]
        (left,) = stack.client.scale("web", 1)
        assert left.pid == pids[0]
        assert self.targets(stack) == 1
        wait_until(lambda: not is_alive(pids[1]), what="the second instance is gone")

    def test_the_same_number_changes_nothing(self, stack):
        before = stack.one("web")
        assert stack.client.scale("web", 1) == [before]

    def test_an_instance_that_is_leaving_comes_back_when_asked_for_again(self, stack):
        stack.client.scale("web", 2)
        stack.client.scale("web", 1)
        assert [one.state for one in stack.client.scale("web", 2)] == [State.READY, State.READY]

    @pytest.mark.parametrize("count", [0, -1, 4])
    def test_a_number_outside_the_declared_bounds_is_refused(self, stack, count):
        with pytest.raises(Refused, match=f"web runs 1 to 3 instance\\(s\\), not {count}"):
            stack.operations.scale("web", count)
        assert self.targets(stack) == 1
