"""``python -m watchkeeper.instrument.multiprocess SOCKET HOST:PORT``: an aggregator on its own."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from watchkeeper.instrument.exposition import OperationalPages, PageServer
from watchkeeper.instrument.multiprocess.aggregator import Aggregator

SWITCH_SECONDS = 0.0005
"""How long taking a report may hold up a scrape at a time; Python's own 5 ms add up."""

PREDECESSOR_SECONDS = 60.0
"""As long as servers give their workers to end, twice: gunicorn's graceful timeout is 30 s."""


def main() -> None:
    """Serve /metrics until SIGTERM or SIGINT, or until whoever started us is gone."""
    parser = argparse.ArgumentParser(description="Serve the sum of several processes' metrics.")
    parser.add_argument("socket", type=Path)
    parser.add_argument("listen", metavar="HOST:PORT")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input does")
    parser.add_argument("--listening", type=int, help="descriptor that listens at SOCKET already")
    arguments = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)
    host, _, port = arguments.listen.rpartition(":")
    ending = threading.Event()
    # A Ctrl-C reaches the whole foreground group; the workers' last reports are still to come.
    signal.signal(signal.SIGINT, signal.SIG_IGN if arguments.with_parent else signal.SIG_DFL)
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    handed = arguments.listening
    listening = None if handed is None else socket.socket(fileno=handed)
    aggregator = Aggregator(arguments.socket, listening)
    pages = OperationalPages("metrics-aggregator", aggregator.registry)
    if arguments.with_parent:
        threading.Thread(target=_await_end_of_input, args=(ending,), daemon=True).start()
    server = _serve(pages, host, int(port), ending)
    if server is not None:
        ending.wait()
        server.close()
    aggregator.close()


def _serve(
    pages: OperationalPages, host: str, port: int, ending: threading.Event
) -> PageServer | None:
    """Listen; wait for a predecessor whose last workers still end. None when we end before."""
    deadline = time.monotonic() + PREDECESSOR_SECONDS
    waits = False
    while not ending.wait(0.1 if waits else 0.0):
        try:
            return PageServer(pages, host=host, port=port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
            if not waits:
                print(f"port {port} is taken; waiting for it", file=sys.stderr)  # noqa: T201
                waits = True
    return None


def _await_end_of_input(ending: threading.Event) -> None:
    # Not sys.stdin: its lock, held by a thread that reads, makes Python abort when it ends.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    ending.set()


main()
