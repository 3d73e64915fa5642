"""`watchkeeper up` as a user runs it."""

import os
import signal
import socket

import psutil
import pytest
import requests

from tests.ports import free_ports
from tests.supervisor.stacks import UpCommand, server
from tests.waiting import wait_until


def assert_gone(processes):
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_ends_everything_and_leaves_no_process(up, tmp_path, number):
    pid_file = tmp_path / "child"
    web = server("parent", environment={"CHILD_PID_FILE": str(pid_file)})
    running = up(web=web, other=server()).wait_ready()
    children = running.children()
    assert len(children) >= 3
    running.process.send_signal(number)
    assert running.process.wait(20) == 0
    assert_gone(children)
    assert running.text().rstrip().endswith("everything has ended")


def test_a_closed_terminal_leaves_every_process_the_time_to_end(tmp_path):
    ended = tmp_path / "ended"
    code = (
        "import pathlib, signal, socket, sys, time\n"
        "listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit())\n"
        "try: signal.pause()\n"
        "finally:\n"
        "    time.sleep(0.5)  # as a database writes what it still holds\n"
        f"    pathlib.Path({str(ended)!r}).touch()\n"
    )
    master, slave = os.openpty()
    command = ["{python}", "-c", code, "{port}"]
    database = {"command": command, "port": free_ports(1), "ready": "tcp"}
    with UpCommand(tmp_path, stdout=slave, database=database) as running:
        os.close(slave)
        wait_until(lambda: b"all ready" in os.read(master, 65536), what="all ready")
        os.close(master)
        running.process.send_signal(signal.SIGHUP)
        assert running.process.wait(20) == 0, running.text()
    assert ended.exists()


def test_what_it_writes_is_for_this_user_alone(up):
    running = up(web=server(scrape={"job": "web", "service": "shop"})).wait_ready()
    written = [running.data_dir, *running.data_dir.rglob("*")]
    open_to_others = [path for path in written if path.stat().st_mode & 0o077]
    assert len(written) > 10
    assert open_to_others == []


def test_a_rule_the_user_corrected_is_kept_and_named_at_the_next_start(up):
    web = server()
    first = up(web=web).wait_ready()
    first.process.terminate()
    first.process.wait(20)
    rules = sorted((first.data_dir / "prometheus" / "rules").rglob("*.yml"))
    first.output.unlink()
    rules[0].write_text("groups: []\n")
    second = up(web=web).wait_ready()
    assert f"kept as you changed it: {rules[0]}" in second.text()
    assert rules[0].read_text() == "groups: []\n"


def test_a_killed_supervisor_takes_its_processes_with_it(up):
    running = up(web=server("stubborn"), other=server()).wait_ready()
    children = running.children()
    assert len(children) == 2
    os.kill(running.process.pid, signal.SIGKILL)
    assert_gone(children)


def test_it_carries_on_after_having_been_killed(up, tmp_path):
    web = server()
    first = up(web=web).wait_ready()
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait(10)
    first.output.unlink()
    assert requests.get(up(web=web).wait_ready().client.processes()[0].url, timeout=5).ok


def test_a_second_one_on_the_same_data_directory_is_refused(up):
    running = up(web=server()).wait_ready()
    second = up(web=server())
    assert second.process.wait(20) == 2
    told = f"already running on {running.data_dir} (pid {running.process.pid})"
    assert told in second.text().replace("\n", " ")


def test_a_taken_port_is_named_before_anything_is_started(up):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        running = up(web=server(), late=server(port=port))
        assert running.process.wait(20) == 2
    assert f"port {port}, needed by late, is held by" in running.text()
    assert f"(pid {os.getpid()}" in running.text()
    assert not (running.data_dir / "logs").exists()


def test_it_says_where_everything_is_with_every_port_moved_by_the_offset(up):
    port = free_ports(2)
    running = up("--port-offset", "1", web=server(port=port)).wait_ready()
    assert f"http://127.0.0.1:{port + 1}" in running.text()
    assert running.client.processes()[0].port == port + 1


def test_a_crash_is_shown_while_it_runs(up):
    running = up(web=server()).wait_ready()
    os.kill(running.client.processes()[0].pid, signal.SIGKILL)
    shown = "web: backing-off (killed by SIGKILL; starts again in 0.5 s)"
    wait_until(lambda: shown in running.text(), what=shown)
    wait_until(lambda: running.text().count("web: ready") == 2, what="web is back")


def test_a_wrong_stack_file_ends_with_file_line_and_key(up):
    running = up(web={"command": ["true"], "port": "many"})
    assert running.process.wait(20) == 2
    assert "stack.yml:" in running.text()
    assert "processes.web.port" in running.text()


def test_processes_that_do_not_fit_together_are_named_with_file_and_line(up):
    running = up(web={"command": ["x", "{colour}"], "port": 5000})
    assert running.process.wait(20) == 2
    assert f"{running.config_dir / 'stack.yml'}:" in running.text()
    assert "processes.web.command: {colour} stands for nothing" in running.text()
