"""What Prometheus is told: its configuration, what to scrape and where alerts go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watchkeeper.supervisor.kept_copy import bring_up_to_date
from watchkeeper.supervisor.stack import Stack

COPIED = ("prometheus.yml", "rules", "applications")
"""What is taken from ``prometheus/``; its tests and compose files are not for running here."""


class Discovery:
    """Prometheus' directory under the data directory.

    Args:
        source: the ``prometheus/`` of the project.
        directory: where Prometheus reads; made and brought up to date by ``prepare``.
        stack: the processes and their ports.
    """

    def __init__(self, source: Path, directory: Path, stack: Stack) -> None:
        self._source = source
        self._directory = directory
        self._stack = stack

    def prepare(self) -> list[Path]:
        """Bring the copied configuration up to date; what a person wrote there stays.

        Returns:
            The files that were changed by hand, and so stay behind what is shipped.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        edited = bring_up_to_date(self._source, self._directory, COPIED)
        return [self._directory / path for path in edited]

    def announce(self, counts: Mapping[str, int]) -> None:
        """Write the targets and alertmanagers for this many instances of each process."""
        targets = {
            f"{name}.json": [_targets(self._stack, name, count)]
            for name, count in counts.items()
            if self._stack.processes[name].scrape is not None
        }
        _replace_all(self._directory / "targets", targets)
        receivers: dict[str, list[Any]] = {}
        if "alerting" in counts:
            receivers["alerting.json"] = [{"targets": [_address(self._stack, "alerting", 1)]}]
        _replace_all(self._directory / "alertmanagers", receivers)


def _targets(stack: Stack, name: str, count: int) -> dict[str, Any]:
    scrape = stack.processes[name].scrape
    assert scrape is not None  # noqa: S101  # narrows the type: announce chose those that have one
    return {
        "targets": [_address(stack, name, instance) for instance in range(1, count + 1)],
        "labels": {"job": scrape.job, "service": scrape.service},
    }


def _address(stack: Stack, name: str, instance: int) -> str:
    return f"127.0.0.1:{stack.port_of(name, instance)}"


def _replace_all(directory: Path, files: Mapping[str, list[Any]]) -> None:
    """Make ``directory`` hold exactly ``files``; each changes whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        # Not *.json: Prometheus must never see the half-written file.
        draft = directory / f".{name}.draft"
        draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        draft.replace(directory / name)
    for left_over in {path.name for path in directory.glob("*.json")} - files.keys():
        (directory / left_over).unlink()
