"""What a reader chose for a dashboard: time, refresh, and a value for each variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dashboards.console.ranges import SCRAPE_SECONDS, Span
from dashboards.console.window import Window, window_of
from dashboards.expression import fill
from dashboards.spec import Dashboard, Variable
from watchkeeper.prometheus import PrometheusClient

NEVER = "off"
REFRESHES_SECONDS = {NEVER: 0, "5s": 5, "10s": 10, "30s": 30, "1m": 60, "5m": 300}
"""How often a board can be drawn again, by the word in the address."""

EVERYTHING = ""
"""The choice that means all values."""

_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


@dataclass(frozen=True, slots=True)
class Choices:
    """A dashboard as somebody looks at it: shareable, since it all stands in the address."""

    window: Window
    refresh: str
    values: Mapping[str, str]
    """The chosen value by variable; ``EVERYTHING`` or no entry for all of them."""

    @property
    def refresh_seconds(self) -> int:
        """How often it is drawn again; 0 for never, as for what is past."""
        return 0 if self.window.until else REFRESHES_SECONDS[self.refresh]

    def filling(self, dashboard: Dashboard, span: Span) -> dict[str, str]:
        """Return what stands for each variable of the dashboard's expressions."""
        chosen = {v.name: matcher_of(self.values.get(v.name, "")) for v in dashboard.variables}
        return chosen | {
            "__rate_interval": f"{rate_window_seconds(span.step_seconds):.0f}s",
            "__range": self.window.range,
        }

    def with_value(self, name: str, value: str) -> Choices:
        """Return the same choices but for one variable."""
        return replace(self, values={**self.values, name: value})

    def within(self, window: Window) -> Choices:
        """Return the same choices for another time."""
        return replace(self, window=window)

    def query(self) -> dict[str, str]:
        """Return the parameters of an address that holds these choices."""
        chosen = {name: value for name, value in self.values.items() if value}
        return {**self.window.query(), "refresh": self.refresh, **chosen}


def choose(dashboard: Dashboard, arguments: Mapping[str, str]) -> Choices:
    """Return what an address asks for; what nobody offers becomes the dashboard's own."""
    refresh = arguments.get("refresh", dashboard.refresh)
    return Choices(
        window_of(arguments, default=dashboard.window),
        refresh if refresh in REFRESHES_SECONDS else dashboard.refresh,
        {v.name: arguments.get(v.name, EVERYTHING) for v in dashboard.variables},
    )


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
