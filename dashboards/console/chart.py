"""What a chart is, as the browser draws it: lines over common times, a band, thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.console.anomalies import Series
from dashboards.spec import Role, Threshold, Unit

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: as many values as the chart has times."""

    label: str
    values: Values
    role: Role = Role.LINE


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over Unix seconds, oldest first."""

    timestamps: Sequence[float]
    lines: tuple[Line, ...]
    unit: Unit = Unit.PLAIN
    thresholds: tuple[Threshold, ...] = ()
    stacked: bool = False

    def __post_init__(self) -> None:
        odd = [line.label for line in self.lines if len(line.values) != len(self.timestamps)]
        if odd:
            raise ValueError(f"lines must be as long as the times: {', '.join(odd)}")

    def as_json(self) -> dict[str, Any]:
        """Return what the browser's script reads; NaN and infinities become gaps."""
        return {
            "timestamps": list(self.timestamps),
            "lines": [
                {"label": line.label, "role": str(line.role), "values": _finite(line.values)}
                for line in self.lines
            ],
            "unit": str(self.unit),
            "thresholds": [{"at": t.at, "level": str(t.level)} for t in self.thresholds],
            "stacked": self.stacked,
        }


def _finite(values: Values) -> list[float | None]:
    return [v if v is not None and math.isfinite(v) else None for v in values]


def of_series(series: Series, unit: Unit = Unit.PLAIN) -> Chart:
    """Return a watched series in its band."""
    points = series.points
    if points is None:
        return Chart((), ())
    return Chart(
        points.timestamps,
        (
            Line("lower", points.lower, Role.LOWER),
            Line("upper", points.upper, Role.UPPER),
            Line("expected", points.expected, Role.EXPECTED),
            Line("actual", points.actual),
        ),
        unit,
    )
