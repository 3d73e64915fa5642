"""What a reader chose for a dashboard: the time range, and a value for each variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards.console.ranges import SCRAPE_SECONDS, Span
from dashboards.expression import fill
from dashboards.spec import Dashboard, Variable
from watchkeeper.prometheus import PrometheusClient

RANGES_SECONDS = {
    "15m": 900,
    "1h": 3600,
    "6h": 21_600,
    "24h": 86_400,
    "7d": 604_800,
}
"""What can be chosen, by the word in the address; the words are Prometheus' own durations."""

POINTS = 240
"""Points of a line; a phone shows fewer, a desk hardly more."""

EVERYTHING = ""
"""The choice that means all values."""

_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


@dataclass(frozen=True, slots=True)
class Choices:
    """A dashboard as somebody looks at it: shareable, since it all stands in the address."""

    range: str
    values: Mapping[str, str]
    """The chosen value by variable; ``EVERYTHING`` or no entry for all of them."""

    def span(self, now: datetime) -> Span:
        """Return the grid of times up to ``now``."""
        start = now - timedelta(seconds=RANGES_SECONDS[self.range])
        return Span.between(start, now, points=POINTS)

    def filling(self, dashboard: Dashboard, span: Span) -> dict[str, str]:
        """Return what stands for each variable of the dashboard's expressions."""
        chosen = {v.name: matcher_of(self.values.get(v.name, "")) for v in dashboard.variables}
        return chosen | {
            "__rate_interval": f"{rate_window_seconds(span.step_seconds):.0f}s",
            "__range": self.range,
        }

    def with_value(self, name: str, value: str) -> Choices:
        """Return the same choices but for one variable."""
        return Choices(self.range, {**self.values, name: value})

    def query(self) -> dict[str, str]:
        """Return the parameters of an address that holds these choices."""
        return {"range": self.range, **{k: v for k, v in self.values.items() if v}}


def choose(dashboard: Dashboard, arguments: Mapping[str, str]) -> Choices:
    """Return what an address asks for; a range nobody offers becomes the dashboard's own."""
    asked = arguments.get("range", dashboard.window)
    return Choices(
        asked if asked in RANGES_SECONDS else dashboard.window,
        {v.name: arguments.get(v.name, EVERYTHING) for v in dashboard.variables},
    )


def span_of(arguments: Mapping[str, str], now: datetime, *, default: str = "1h") -> Span:
    """Return the grid of times an address asks for; a range nobody offers becomes the default."""
    asked = arguments.get("range", default)
    return Choices(asked if asked in RANGES_SECONDS else default, {}).span(now)


def rate_window_seconds(step_seconds: float) -> float:
    """Return Grafana's ``$__rate_interval``: four scrapes at least, and never less than a step."""
    return max(4 * SCRAPE_SECONDS, step_seconds + SCRAPE_SECONDS)


def matcher_of(value: str) -> str:
    """Return what stands between the quotes of ``=~"…"`` for a chosen value.

    The value is matched literally: special characters of RE2 are escaped, then those of a PromQL
    string, so that no value can end the string.
    """
    if value == EVERYTHING:
        return ".*"
    literal = _SPECIAL.sub(r"\\\g<0>", value)
    return literal.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def offered(
    client: PrometheusClient, variable: Variable, filling: Mapping[str, str], span: Span
) -> list[str]:
    """Return the values a variable has had in the span, in order of their names."""
    found = client.get(
        f"/api/v1/label/{variable.label}/values",
        {
            "match[]": fill(variable.series, filling),
            "start": f"{span.start:.0f}",
            "end": f"{span.start + span.step_seconds * span.count:.0f}",
        },
    )
    return sorted(str(value) for value in found)
