"""The result of a game day, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table

from watchkeeper.clock import format_rfc3339
from watchkeeper.gameday.drill import Outcome

_JSON_FIELDS = (
    "fault",
    "detected_by",
    "seconds_to_detect",
    "action",
    "seconds_to_recover",
    "recovered",
    "quiet_false_alarms",
    "injected_at",
    "passed",
    "problem",
)


def as_json(outcomes: Sequence[Outcome]) -> str:
    """Return a JSON list with one object a fault; seconds are rounded to a tenth."""
    rows = []
    for outcome in outcomes:
        row = asdict(outcome)
        for name in ("seconds_to_detect", "seconds_to_recover"):
            row[name] = None if row[name] is None else round(row[name], 1)
        row["injected_at"] = format_rfc3339(outcome.injected_at)
        row["passed"] = outcome.passed
        rows.append({name: row[name] for name in _JSON_FIELDS})
    return json.dumps(rows, indent=2) + "\n"


def as_table(outcomes: Sequence[Outcome]) -> Table:
    """Return the table a person reads."""
    table = Table(title="Game day")
    for heading in (
        "fault",
        "detected by",
        "after",
        "action",
        "recovered after",
        "false alarms",
        "",
    ):
        table.add_column(heading, overflow="fold")
    for outcome in outcomes:
        table.add_row(
            outcome.fault,
            outcome.detected_by or "nothing",
            _seconds(outcome.seconds_to_detect),
            outcome.action or "none (a person's)",
            _recovery(outcome),
            str(outcome.quiet_false_alarms),
            "passed" if outcome.passed else f"FAILED {outcome.problem or ''}".strip(),
        )
    return table


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"


def _recovery(outcome: Outcome) -> str:
    if outcome.action is None:
        return "when cleared" if outcome.recovered else "never"
    return _seconds(outcome.seconds_to_recover)
