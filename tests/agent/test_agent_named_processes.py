"""Groups of processes by pattern: as process-exporter tells them, cheap where there are many."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.named_processes import NamedProcessesCollector
from agent.processes.census import RUNS_BETWEEN_LOOKS, Census, Group
from agent.processes.process import parse_stat, read_stat
from agent.processes.totals import Key, Totals, counters_of
from agent.text import Renderer, TextFormat, text_of
from benchmarks import exporters
from benchmarks.scraped import Scraped
from tests.agent.probes import Page
from tests.agent.reading import Reading
from tests.ports import free_port
from watchkeeper.catalogue import named_processes

TICKS = 100
NOBODY = 65534


class Machine:
    """A /proc that a test fills with processes."""

    def __init__(self, directory):
        self.proc = directory / "proc"
        self.proc.mkdir()
        (self.proc / "stat").write_text("cpu 1\nbtime 1700000000\n")

    def start(self, pid, line, *, parent=1, state="S", started=500, user=0, threads=1, name=None):
        directory = self.proc / str(pid)
        directory.mkdir(exist_ok=True)
        name = name or line.partition(" ")[0]
        columns = (
            f"{state} {parent} 1 1 0 -1 0 7 0 3 0 {user} 20 0 0 20 0 {threads} 0 {started} 4096 2"
        )
        (directory / "stat").write_text(f"{pid} ({name}) {columns}{' 0' * 28}\n")
        (directory / "cmdline").write_text("".join(f"{word}\0" for word in line.split()))
        (directory / "status").write_text(
            "Name: x\nVmSwap:\t8 kB\nvoluntary_ctxt_switches:\t11\nnonvoluntary_ctxt_switches:\t2\n"
        )
        (directory / "io").write_text("rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\n")
        (directory / "limits").write_text("Max open files            4          8      files\n")
        for number in range(3):
            (directory / "fd").mkdir(exist_ok=True)
            (directory / "fd" / str(number)).touch()
        return directory

    def end(self, pid):
        subprocess.run(["rm", "-r", str(self.proc / str(pid))], check=True)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def group(name, command, *, children=True):
    return {"name": name, "command": command, "children": children}


class Watch:
    """The collector, and what it tells each time."""

    def __init__(self, machine, *groups):
        self.collector = NamedProcessesCollector(groups=groups, proc=str(machine.proc))

    def page(self):
        families = list(self.collector.collect())
        return Page(text_of(Renderer().render(families), TextFormat.PROMETHEUS))

    def count(self, name="web"):
        return self.page().value("namedprocess_namegroup_num_procs", groupname=name)


def test_a_command_line_is_matched_as_far_as_its_first_4096_characters(machine):
    machine.start(10, f"{'x' * 4085} late-group")
    machine.start(11, f"{'x' * 4086} late-group")
    assert Watch(machine, group("web", "late-group")).count() == 1


def test_what_a_group_uses_is_summed(machine):
    machine.start(10, "gunicorn app", user=150)
    machine.start(11, "gunicorn app", user=50, started=300)
    machine.start(12, "vim notes")
    page = Watch(machine, group("web", "^gunicorn")).page()
    value = page.value
    assert value("namedprocess_namegroup_num_procs", groupname="web") == 2
    assert value("namedprocess_namegroup_cpu_seconds_total", mode="user") == 200 / TICKS
    assert value("namedprocess_namegroup_cpu_seconds_total", mode="system") == 40 / TICKS
    assert value("namedprocess_namegroup_memory_bytes", memtype="virtual") == 8192
    assert value("namedprocess_namegroup_memory_bytes", memtype="swapped") == 16 * 1024
    assert value("namedprocess_namegroup_read_bytes_total") == 8192
    assert value("namedprocess_namegroup_write_bytes_total") == 16384
    assert value("namedprocess_namegroup_major_page_faults_total") == 6
    assert value("namedprocess_namegroup_minor_page_faults_total") == 14
    assert value("namedprocess_namegroup_context_switches_total", ctxswitchtype="voluntary") == 22
    assert value("namedprocess_namegroup_worst_fd_ratio") > 0
    assert value("namedprocess_namegroup_oldest_start_time_seconds") == 1700000000 + 300 / TICKS
    assert value("namedprocess_namegroup_states", state="Sleeping") == 2
    assert value("namedprocess_namegroup_states", state="Zombie") == 0


def test_a_group_nobody_is_in_is_told_with_nought(machine):
    page = Watch(machine, group("web", "^gunicorn")).page()
    assert page.value("namedprocess_namegroup_num_procs", groupname="web") == 0
    assert page.value("namedprocess_namegroup_oldest_start_time_seconds") is None


def test_the_first_group_that_matches_has_the_process(machine):
    machine.start(10, "python -m celery worker")
    watch = Watch(machine, group("web", "celery"), group("any", "python"))
    assert (watch.count("web"), watch.count("any")) == (1, 0)


def test_children_belong_to_who_started_them_unless_told_otherwise(machine):
    machine.start(10, "gunicorn app")
    machine.start(11, "sh -c convert", parent=10)
    machine.start(12, "convert a b", parent=11)
    machine.start(13, "redis-server", parent=10)
    machine.start(1, "init")
    groups = [group("web", "gunicorn"), group("cache", "redis")]
    assert Watch(machine, *groups).count() == 3
    alone = [group("web", "gunicorn", children=False), groups[1]]
    assert Watch(machine, *alone).count() == 1


def test_kernel_threads_are_matched_by_their_name(machine):
    machine.start(10, "", name="kworker/0:1")
    assert Watch(machine, group("web", r"^\[kworker")).count() == 1


def test_a_program_that_was_just_forked_is_recognised_on_the_second_look(machine):
    watch = Watch(machine, group("web", "^gunicorn"))
    machine.start(10, "sh start.sh")
    assert watch.count() == 0
    machine.start(10, "gunicorn app")
    assert watch.count() == 1


def test_a_stranger_that_took_an_old_number_is_recognised_within_a_minute(machine):
    watch = Watch(machine, group("web", "^gunicorn"))
    machine.start(10, "vim notes")
    watch.count()
    watch.count()
    machine.start(10, "gunicorn app", started=900)
    assert 1 in [watch.count() for _ in range(RUNS_BETWEEN_LOOKS)]


def test_counters_stay_when_a_process_ends_and_another_takes_its_number(machine):
    watch = Watch(machine, group("web", "^gunicorn"))
    cpu = "namedprocess_namegroup_cpu_seconds_total"
    machine.start(10, "gunicorn app", user=100)
    assert watch.page().value(cpu, mode="user") == 1
    machine.start(10, "gunicorn app", user=30, started=900)
    assert watch.page().value(cpu, mode="user") == 1.3
    machine.end(10)
    page = watch.page()
    assert page.value(cpu, mode="user") == 1.3
    assert page.value("namedprocess_namegroup_num_procs") == 0


def test_strangers_are_not_read_again_and_again(machine, monkeypatch):
    for pid in range(100, 400):
        machine.start(pid, f"stranger {pid}")
    machine.start(10, "gunicorn app")
    read = []

    def noting(proc, pid):
        read.append(pid)
        return read_stat(proc, pid)

    monkeypatch.setattr("agent.processes.census.read_stat", noting)
    census = Census(str(machine.proc), [Group("web", re.compile("^gunicorn"), True)])
    for _ in range(2):
        census.take()
    assert len(read) == 2 * 301
    read.clear()
    for _ in range(RUNS_BETWEEN_LOOKS):
        assert [stat.pid for stat in census.take()["web"]] == [10]
    assert len(read) == 300 + RUNS_BETWEEN_LOOKS


def test_what_we_may_not_read_is_left_out(machine):
    directory = machine.start(10, "gunicorn app")
    (directory / "io").unlink()
    (directory / "limits").unlink()
    page = Watch(machine, group("web", "gunicorn")).page()
    assert page.value("namedprocess_namegroup_read_bytes_total") is None
    assert page.value("namedprocess_namegroup_worst_fd_ratio") is None
    assert page.value("namedprocess_namegroup_num_procs") == 1


STAT = parse_stat(f"7 (a) b) S 1 1 1 0 -1 0 0 0 0 0 5 0 0 0 20 0 1 0 9 1 1{' 0' * 28}")


def test_a_name_with_a_parenthesis_is_read_whole():
    assert (STAT.pid, STAT.command, STAT.state) == (7, "a) b", "S")


@given(
    runs=st.lists(
        st.dictionaries(st.tuples(st.integers(1, 3), st.integers(1, 2)), st.integers(0, 50)),
        max_size=8,
    )
)
def test_a_groups_counters_never_fall(runs):
    totals = Totals()
    user = named_processes.CPU, ("user",)
    shown = 0.0
    for run in runs:
        totals.advance(
            {
                Key(pid, start): counters_of(STAT._replace(user_seconds=seconds), None)
                for (pid, start), seconds in run.items()
            }
        )
        assert totals.values.get(user, 0.0) >= shown
        shown = totals.values.get(user, 0.0)


@pytest.fixture
def hidden(tmp_path_factory):
    """Hides a process' files from us, as hidepid=1 does, whoever we are; undone at the end."""
    with contextlib.ExitStack() as stack:

        def hide(directory):
            for file in directory.rglob("*"):
                file.chmod(0)
            directory.chmod(0o711)
            if os.geteuid() == 0:
                stack.callback(os.seteuid, 0)
                os.seteuid(NOBODY)

        yield hide


@pytest.fixture
def open_machine():
    """A machine that another user can read."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Machine(Path(name))


def test_a_process_that_is_hidden_from_us_costs_no_other(open_machine, hidden):
    open_machine.start(10, "gunicorn app")
    hidden(open_machine.start(11, "gunicorn app"))
    assert Watch(open_machine, group("web", "gunicorn")).count() == 1


def test_what_a_process_used_before_it_was_hidden_stays_counted(open_machine, hidden):
    directory = open_machine.start(10, "gunicorn app", user=150)
    watch = Watch(open_machine, group("web", "gunicorn"))
    watch.page()
    hidden(directory)
    assert watch.page().value("namedprocess_namegroup_cpu_seconds_total", mode="user") == 1.5


def test_what_could_not_be_read_for_a_run_is_not_counted_twice():
    totals, key, read = Totals(), Key(1, 1), (named_processes.READ, ())
    for counters in ({read: 100.0}, {}, {read: 101.0}):
        totals.advance({key: counters})
    assert totals.values[read] == 101


@pytest.fixture
def sleepers():
    """Three real processes that sleep, of which one was started by another."""
    script = "import subprocess,sys; subprocess.run([sys.executable,'-c','input()','wk-child'])"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, "wk-named"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for code in ("print(1, flush=True); input()", f"print(1, flush=True); {script}")
    ]
    for process in started:
        process.stdout.readline()
    yield started
    for process in started:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


@pytest.mark.live
def test_process_exporter_tells_the_same_of_the_same_processes(sleepers, tmp_path):
    program = exporters.find_one("prometheus-process-exporter", exporters.CACHE)
    config = tmp_path / "processes.yml"
    config.write_text('process_names: [{name: "named", cmdline: ["wk-named"]}]\n')
    port = free_port()
    command = [str(program), "-config.path", str(config), "-threads=false"]
    process = Scraped(
        "process-exporter", [*command, "-web.listen-address", f"127.0.0.1:{port}"], port
    )
    watch = NamedProcessesCollector(groups=[group("named", "wk-named")])
    try:
        process.wait_until_it_answers()
        theirs = Reading.read(process.scrape()[1].decode())
        ours = Reading.read(
            text_of(Renderer().render(list(watch.collect())), TextFormat.PROMETHEUS).decode()
        )
    finally:
        process.stop()
    left_out = {"namedprocess_namegroup_threads_wchan", "namedprocess_scrape_errors_total"}
    names = {name for name in theirs.names() if name.startswith("namedprocess_namegroup_")}
    assert names - left_out - ours.names() == set()
    for name, kind in ours.types.items():
        assert theirs.types[name] == kind
    gauges = {name for name in names & ours.names() if not name.endswith("_total")}
    mine, its = ours.only(gauges).values, theirs.only(gauges).values
    proportional = {key for key in its if "proportional" in str(key)}
    assert mine.keys() == its.keys() - proportional
    different = {key for key, value in mine.items() if abs(value - its[key]) > 0.02 * its[key] + 1}
    assert different == set()


def test_real_processes_are_found_by_their_command_line(sleepers):
    (found,) = Census("/proc", [Group("named", re.compile("wk-named"), False)]).take().values()
    assert {stat.pid for stat in found} == {process.pid for process in sleepers}
    assert all(stat.resident_bytes > 0 for stat in found)
