import errno
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from watchkeeper.supervisor.screen import Screen
from watchkeeper.supervisor.status import ProcessStatus, State

CURSOR_UP = "\x1b[1A"


def status(state, reason="", *, name="web", instance=1):
    url = "http://127.0.0.1:8300"
    return ProcessStatus(
        name, instance, "", state, 42, 8300, url, 0, "2026-01-01T00:00:00Z", reason
    )


class Shown:
    def __init__(self, *, is_terminal):
        self._written = StringIO()
        console = Console(file=self._written, force_terminal=is_terminal, width=80)
        self.screen = Screen(console, Path("var"))

    def after(self, *statuses):
        """Return what showing these wrote."""
        start = self._written.tell()
        self.screen.show(list(statuses))
        self._written.seek(start)
        return self._written.read()


@pytest.fixture
def lines():
    return Shown(is_terminal=False)


@pytest.fixture
def terminal():
    shown = Shown(is_terminal=True)
    yield shown
    shown.screen.close()


def test_without_a_terminal_each_change_is_a_plain_line(lines):
    assert lines.after(status(State.STARTING, "just started")) == "web: starting (just started)\n"


def test_a_reason_that_changes_while_it_starts_is_no_news(lines):
    lines.after(status(State.STARTING, "just started"))
    assert lines.after(status(State.STARTING, "nothing listens yet")) == ""


def test_one_that_waits_for_others_is_no_news_yet(lines):
    assert lines.after(status(State.STOPPED, "waits for db")) == ""


def test_every_failure_in_a_row_is_shown(lines):
    for pause in ("0.5 s", "1 s"):
        reason = f"killed by SIGKILL; starts again in {pause}"
        assert lines.after(status(State.BACKING_OFF, reason)) == f"web: backing-off ({reason})\n"


def test_all_ready_is_said_once_with_the_table_and_where_the_console_is(lines):
    told = lines.after(status(State.READY, name="console"))
    assert "console  http://127.0.0.1:8300  ready  42" in told
    assert "s; the console is at http://127.0.0.1:8300; Ctrl-C ends everything\n" in told
    assert "logs in var/logs" in told
    assert "all ready" not in lines.after(status(State.READY, name="console"), status(State.READY))


def test_a_crash_after_that_is_a_line_also_on_a_terminal(terminal):
    terminal.after(status(State.READY))
    told = terminal.after(
        status(State.EXITED, "killed by SIGKILL", instance=2), status(State.READY)
    )
    assert "web/2: exited (killed by SIGKILL)" in told
    assert CURSOR_UP not in told


def test_on_a_terminal_the_table_is_redrawn_in_place_while_waiting(terminal):
    assert "starting" in terminal.after(status(State.STARTING, "one"))
    second = terminal.after(status(State.STARTING, "two"))
    assert CURSOR_UP in second
    assert "two" in second


class Closed(StringIO):
    """A terminal that has been closed under whoever writes to it."""

    def write(self, _text):
        raise OSError(errno.EIO, "Input/output error")


class BrokenPipe(StringIO):
    """A pipe nobody reads any more."""

    def write(self, _text):
        raise BrokenPipeError


@pytest.mark.parametrize("output", [Closed, BrokenPipe])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_output_that_is_gone_is_written_to_no_more_and_hurts_nothing(output, is_terminal):
    screen = Screen(Console(file=StringIO(), force_terminal=is_terminal), Path("var"))
    screen._console.file = output()
    screen.show([status(State.STARTING)])
    screen.show([status(State.READY)])
    screen.say("everything has ended")
    screen.close()
    assert screen._is_gone
