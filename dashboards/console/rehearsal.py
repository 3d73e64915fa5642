"""What changed remediation rules would have done lately, as ``watchkeeper backtest --rules`` says.

The command runs as a process of its own: it takes a while and much memory, and only one at a time
may. Nothing it finds is sent or done.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from dashboards.console.answers import field, read
from watchkeeper.errors import Reason, UpstreamError

DEADLINE_SECONDS = 90.0
"""Longer than the replay of a bad week takes; whoever waits for more should ask on a shell."""

DAYS = {"1": "last day", "7": "last week"}
LETTERS = 100_000
"""Of a file of rules; the shipped one has a thousand."""

SHOWN = ("alerts", "incidents", "actions", "messages")
"""What is counted, in the order it is told."""

_running = threading.Lock()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would have happened: for each kind of thing how often which, and what was left out."""

    counts: Mapping[str, Mapping[str, int]]
    remarks: Sequence[str]


def rehearse(alerting_yml: str, remediation_yml: str, *, days: str) -> Rehearsal:
    """Return what the alerts of the last ``days`` would have caused under two files' texts.

    Raises:
        UpstreamError: the files cannot be used, Prometheus cannot be asked, it took too long, or
            somebody else's is under way.
    """
    if not _running.acquire(blocking=False):
        raise UpstreamError("Another one is under way; try again in a minute.", reason=Reason.BUSY)
    try:
        with TemporaryDirectory() as folder:
            (Path(folder) / "alerting.yml").write_text(alerting_yml, encoding="utf-8")
            (Path(folder) / "remediation.yml").write_text(remediation_yml, encoding="utf-8")
            done = _run(folder, days)
            remarks = done.stderr.replace(f"{folder}/", "").strip().splitlines()
    finally:
        _running.release()
    if done.returncode != 0:
        problem = "\n".join(remarks) or f"it ended with {done.returncode}"
        raise UpstreamError(problem, reason=Reason.BAD_ANSWER)
    answer = json.loads(done.stdout)
    counts = {
        kind: read(dict[str, int], field(answer, kind, part="backtest"), part="backtest")
        for kind in SHOWN
    }
    return Rehearsal(counts, remarks)


def _run(config_dir: str, days: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable, "-m", "watchkeeper", "backtest", "--rules",
        "--config-dir", config_dir, "--days", days, "--json",
    ]  # fmt: skip
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        message = f"It took longer than {DEADLINE_SECONDS:g} s; try fewer days."
        raise UpstreamError(message, reason=Reason.TIMEOUT) from None
