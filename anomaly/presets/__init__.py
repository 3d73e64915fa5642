"""Queries for what most people run, to be taken by name; one that finds no series costs nothing."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml

PRESETS = ("host", "postgresql", "redis", "task-queues", "http", "python")
"""Each is the YAML file of that name in this folder; its forecasts lie in ``forecasts``."""


def queries_of(preset: str) -> dict[str, Any]:
    """Return the queries of a preset, as a file would have them; KeyError for an unknown one."""
    if preset not in PRESETS:
        raise KeyError(preset)
    text = resources.files(__name__).joinpath(f"{preset}.yml").read_text(encoding="utf-8")
    queries: dict[str, Any] = yaml.safe_load(text)
    return queries


def forecasts_of(preset: str) -> dict[str, Any]:
    """Return the forecasts of a preset, as a file would have them; none where it has no file.

    Raises:
        KeyError: an unknown preset.
    """
    if preset not in PRESETS:
        raise KeyError(preset)
    file = resources.files(__name__).joinpath("forecasts", f"{preset}.yml")
    forecasts: dict[str, Any] = (
        yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    )
    return forecasts
