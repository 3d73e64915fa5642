"""Queries for what most people run, to be taken by name; one that finds no series costs nothing."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml

PRESETS = ("host", "postgresql", "redis", "task-queues", "http", "python")
"""Each is the YAML file of that name in this folder; its forecasts lie in ``forecasts``, and what a
backtest of it is made of in ``histories``."""


def queries_of(preset: str) -> dict[str, Any]:
    """Return the queries of a preset, as a file would have them; KeyError for an unknown one."""
    return _read(preset, f"{preset}.yml")


def forecasts_of(preset: str) -> dict[str, Any]:
    """Return the forecasts of a preset, as a file would have them; none where it has no file.

    Raises:
        KeyError: an unknown preset.
    """
    return _read(preset, "forecasts", f"{preset}.yml")


def histories_of(preset: str) -> dict[str, Any]:
    """Return what the series of a preset's queries look like when they are made for a backtest.

    Raises:
        KeyError: an unknown preset.
    """
    return _read(preset, "histories", f"{preset}.yml")


def _read(preset: str, *path: str) -> dict[str, Any]:
    if preset not in PRESETS:
        raise KeyError(preset)
    file = resources.files(__name__).joinpath(*path)
    if not file.is_file():
        return {}
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found
