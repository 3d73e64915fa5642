"""The recording rules behind the objectives: reading a month for each point of a chart is too slow.

Two rates are recorded for each objective, and from these its error ratio over every window that a
board shows. A window's ratio is the mean of one rate by the mean of the other: of all its events.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dashboards.objectives import BUDGET_WINDOW, OBJECTIVES, WINDOW, WINDOWS, Objective
from dashboards.promql import series
from watchkeeper.catalogue.prometheus import OBJECTIVE_BAD, OBJECTIVE_ERRORS, OBJECTIVE_EVENTS

TARGET = Path(__file__).parent.parent / "prometheus" / "rules" / "recording" / "objectives.yml"

HEADING = """\
# How well each service keeps the objectives of dashboards/objectives.py; made by `make dashboards`.
# No events: no sample, never a kept promise.
"""

SHORT_WINDOWS = frozenset({"5m", "30m", "1h"})
"""Evaluated twice a minute; over the longer ones little changes in one."""


def text() -> str:
    """Return the file of rules."""
    long = [window for window in (*WINDOWS, BUDGET_WINDOW) if window not in SHORT_WINDOWS]
    groups = [
        _group("objective_rates", "30s", [rule for one in OBJECTIVES for rule in _rates(one)]),
        _group("objective_errors", "30s", list(_errors(sorted(SHORT_WINDOWS)))),
        _group("objective_errors_long", "1m", list(_errors(long))),
    ]
    return HEADING + yaml.safe_dump({"groups": groups}, sort_keys=False, width=100)


def _group(name: str, interval: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "interval": interval, "rules": rules}


def _rates(objective: Objective) -> Iterator[dict[str, Any]]:
    bad, whole = (text.replace(WINDOW, "1m") for text in (objective.bad, objective.whole))
    yield _rule(str(OBJECTIVE_BAD), f"({bad}) or ({whole}) * 0", objective=objective.name)
    yield _rule(str(OBJECTIVE_EVENTS), whole, objective=objective.name)


def _errors(windows: list[str]) -> Iterator[dict[str, Any]]:
    for window in windows:
        bad, events = (
            f"avg_over_time({series(metric)}[{window}])"
            for metric in (OBJECTIVE_BAD, OBJECTIVE_EVENTS)
        )
        yield _rule(str(OBJECTIVE_ERRORS), f"{bad} / ({events} > 0)", window=window)


def _rule(name: str, expression: str, **labels: str) -> dict[str, Any]:
    return {"record": name, "expr": expression, "labels": labels}
