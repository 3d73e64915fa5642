"""Starts the alerting service again and again without importing it again each time.

    python -m benchmarks.warm_start

Reads one JSON object a line, with the command line's arguments and a log file, forks for each, and
answers with the child's process id, which whoever started it watches. What runs in the child is the
service as it is started otherwise, from its command line on; only the second or two of imports are
shared. SIGKILL ends a forked process as it ends any other.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module

from alerting import pipeline
from alerting.notifiers import NOTIFIERS
from watchkeeper.cli import root

PRELOADED = ("alerting.cli", "flask.json.provider", "waitress.server", *NOTIFIERS.values())


def main() -> None:
    """Serve until standard input ends."""
    for name in PRELOADED:
        import_module(name)
    pipeline.stages()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order)
        print(child, flush=True)


def _become(order: dict[str, object]) -> None:
    """Run the command in the forked process and end it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(str(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, sys.stderr.fileno())
    os.dup2(log, sys.stdout.fileno())
    code = 1
    try:
        root([str(argument) for argument in order["arguments"]], standalone_mode=False)  # type: ignore[attr-defined]
        code = 0
    except SystemExit as ending:
        code = int(ending.code or 0)
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
