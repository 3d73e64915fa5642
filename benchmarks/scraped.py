"""A process that is scraped, and what that costs it."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import os
import re
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

ACCEPT = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
"""What Prometheus 2.42 sends."""

AS_PROMETHEUS = {"Accept": ACCEPT, "Accept-Encoding": "gzip"}

START_SECONDS = 20.0

_SAMPLE = re.compile(rb"^[^#\s]", re.MULTILINE)
_pause = threading.Event()


def pause(seconds: float) -> None:
    """Do nothing for a while."""
    _pause.wait(max(0.0, seconds))


class Scraped:
    """One process with a /metrics page.

    Args:
        name: for the tables.
        command: starts it.
        port: where it will listen.
        environment: besides our own.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        port: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.port = port
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def wait_until_it_answers(self) -> None:
        """Wait for the first page; raise TimeoutError when none comes."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.scrape()
            except (OSError, http.client.HTTPException):
                self._connection.close()
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise TimeoutError(f"{self.name} does not answer") from None
                pause(0.05)
            else:
                return

    def scrape(self, headers: Mapping[str, str] = AS_PROMETHEUS) -> tuple[float, bytes]:
        """Scrape once, as Prometheus does; return the seconds it took and the page."""
        started = time.perf_counter()
        self._connection.request("GET", "/metrics", headers=dict(headers))
        answer = self._connection.getresponse()
        body = answer.read()
        seconds = time.perf_counter() - started
        packed = answer.headers.get("Content-Encoding") == "gzip"
        return seconds, gzip.decompress(body) if packed else body

    def series(self) -> int:
        """Return the number of series it exposes."""
        return len(_SAMPLE.findall(self.scrape()[1]))

    def cpu_seconds(self) -> float:
        """Return the CPU time it and its children have used, those that ended included.

        To the nanosecond (clock_getcpuclockid(3)), but of the ended to the tick.
        """
        ended = psutil.Process(self.process.pid).cpu_times()
        used = ended.children_user + ended.children_system
        for pid in self._pids():
            with contextlib.suppress(OSError):  # it has just ended
                used += time.clock_gettime(~pid << 3 | 2)
        return float(used)

    def rss_megabytes(self) -> float:
        """Return the resident memory of it and its children in MB (10^6 bytes).

        What they share counts for each.
        """
        total_bytes = 0
        for pid in self._pids():
            with contextlib.suppress(psutil.NoSuchProcess):
                total_bytes += psutil.Process(pid).memory_info().rss
        return total_bytes / 1e6

    def threads(self) -> int:
        """Return the number of its threads."""
        return self._status("Threads")

    def descriptors(self) -> int:
        """Return the number of its open descriptors."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def stop(self) -> None:
        """End it."""
        self._connection.close()
        self.process.terminate()
        self.process.wait(20)

    def _pids(self) -> list[int]:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [self.process.pid, *(child.pid for child in children)]

    def _status(self, field: str) -> int:
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(text.partition(f"\n{field}:")[2].split(maxsplit=1)[0])
