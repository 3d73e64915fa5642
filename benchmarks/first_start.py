"""A new user's first minutes: ``make up`` in a fresh clone until everything is ready.

    python -m benchmarks.first_start [--quick] [--json FILE]

Measured with nothing cached (packages fetched anew, no virtual environment), and again in
the same clone, as on every later day. What the system's own packages already hold (Prometheus,
Chromium) is used, and said so. ``--quick`` starts once anew and once again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Results, add_json_argument
from watchkeeper.errors import WatchkeeperError
from watchkeeper.gameday.running import processes_on
from watchkeeper.supervisor.status import State

PROJECT = Path(__file__).resolve().parents[1]
PORT_OFFSET = 17_000
BARE_BAR_SECONDS = 240.0
CACHED_BAR_SECONDS = 60.0
LIMIT_SECONDS = 900.0


def seconds_to_ready(clone: Path, environment: dict[str, str]) -> float:
    """Run ``make up`` in ``clone`` until all is ready, end it with Ctrl-C, return the seconds."""
    data_dir = clone / "var"
    log = clone.parent / "up.log"
    began = time.monotonic()
    with log.open("wb") as output:
        make = subprocess.Popen(
            ["make", "up", f"ARGS=--port-offset {PORT_OFFSET}"], cwd=clone, env=environment,
            stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        while not _all_ready(data_dir):
            if make.poll() is not None or time.monotonic() - began > LIMIT_SECONDS:
                raise WatchkeeperError(f"make up did not become ready:\n{log.read_text()}")
            time.sleep(0.2)
        return time.monotonic() - began
    finally:
        if make.poll() is None:
            os.killpg(make.pid, signal.SIGINT)
            make.wait(60)


def _all_ready(data_dir: Path) -> bool:
    found = processes_on(data_dir)
    return bool(found) and all(process.state is State.READY for process in found)


def main() -> None:
    """Measure and print; exit code 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="one later start, not three")
    add_json_argument(parser)
    options = parser.parse_args()
    print("Prometheus on PATH:", shutil.which("prometheus") or "no, it will be installed")
    results = Results("First start")
    with tempfile.TemporaryDirectory(prefix="watchkeeper-first-") as directory:
        clone = Path(directory) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(clone)], check=True)
        environment = dict(os.environ)
        environment.pop("MAKEFLAGS", None)
        bare = seconds_to_ready(clone, environment | {"PIP_NO_CACHE_DIR": "1"})
        results.at_most("bare_seconds", [bare], BARE_BAR_SECONDS)
        again = [seconds_to_ready(clone, environment) for _ in range(1 if options.quick else 3)]
        results.at_most("cached_seconds", again, CACHED_BAR_SECONDS)
    results.show()
    results.write(options.json)
    sys.exit(0 if results.met else 1)


if __name__ == "__main__":
    main()
