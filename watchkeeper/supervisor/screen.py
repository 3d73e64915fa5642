"""What a person at the terminal sees: progress while waiting, the table, and what changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from watchkeeper.supervisor.status import ProcessStatus, State

Statuses = list[ProcessStatus]

_STYLE = {
    State.STARTING: "yellow",
    State.READY: "green",
    State.BACKING_OFF: "red",
    State.STOPPED: "dim",
    State.EXITED: "red",
}


class Screen:
    """Shows statuses as they change; on anything but a terminal in plain lines.

    Args:
        console: where to write.
        data_dir: named in the table's caption: the logs lie there.
    """

    def __init__(self, console: Console, data_dir: Path) -> None:
        self._console = console
        self._data_dir = data_dir
        self._began_seconds = time.monotonic()
        self._shown: dict[str, tuple[State, str]] = {}
        self._is_waiting = True
        self._is_gone = False
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(console=console, auto_refresh=False, transient=True)
            self._live.start()

    def show(self, statuses: Statuses) -> None:
        """Show what has changed since the last call."""
        self._while_it_is_there(lambda: self._show(statuses))

    def say(self, text: str) -> None:
        """Print a line above whatever moves."""
        self._while_it_is_there(lambda: self._say(text))

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._while_it_is_there(self._close)

    def _while_it_is_there(self, draw: Callable[[], None]) -> None:
        """Draw, until that fails once: a terminal that was closed is not what we run for."""
        if self._is_gone:
            return
        try:
            draw()
        except (OSError, SystemExit):  # rich turns a broken pipe into SystemExit
            self._is_gone = True

    def _show(self, statuses: Statuses) -> None:
        if not (self._is_waiting and self._live):
            self._print_changes(statuses)
        elif self._live:
            self._live.update(table(statuses, self._caption()), refresh=True)
        self._shown = {one.title: (one.state, one.reason) for one in statuses}
        if self._is_waiting and all(one.state is State.READY for one in statuses):
            self._all_ready(statuses)

    def _say(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)

    def _close(self) -> None:
        if self._live:
            self._live.stop()

    def _all_ready(self, statuses: Statuses) -> None:
        self._is_waiting = False
        self._close()
        self._console.print(table(statuses, self._caption()))
        took_seconds = time.monotonic() - self._began_seconds
        consoles = [f"the console is at {one.url}" for one in statuses if one.name == "console"]
        told = [f"all ready in {took_seconds:.1f} s", *consoles, "Ctrl-C ends everything"]
        self._say("; ".join(told))

    def _print_changes(self, statuses: Statuses) -> None:
        for one in statuses:
            if _is_news(one, self._shown.get(one.title)):
                told = f"{one.title}: {one.state}" + (f" ({one.reason})" if one.reason else "")
                self._console.print(Text(told, style=_STYLE[one.state]), soft_wrap=True)

    def _caption(self) -> str:
        return f"logs in {self._data_dir / 'logs'}"


def table(statuses: Statuses, caption: str) -> Table:
    """Return the table of names, addresses and states."""
    result = Table(caption=caption, caption_justify="left", box=None, pad_edge=False)
    for column in ("process", "address", "state", "pid", "restarts", "reason"):
        result.add_column(column, overflow="fold" if column == "reason" else "ellipsis")
    for one in statuses:
        result.add_row(
            one.title,
            one.url,
            Text(one.state, style=_STYLE[one.state]),
            str(one.pid or ""),
            str(one.restarts or ""),
            one.reason,
        )
    return result


def _is_news(one: ProcessStatus, before: tuple[State, str] | None) -> bool:
    if before is None:
        return one.state is not State.STOPPED
    state, reason = before
    # While something starts its reason changes several times a second; the state says enough.
    return one.state is not state or (one.state is State.BACKING_OFF and one.reason != reason)
