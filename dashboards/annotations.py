"""What is marked on every board: when something was changed, broke, or was mended."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.promql import newly_counted, series
from dashboards.spec import Level
from watchkeeper.catalogue import process, prometheus
from watchkeeper.catalogue import watchkeeper as own

RECENTLY = "1m"
"""How long a mark's expression holds: long enough to fall on a step of an hour's chart."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Moments at which an expression begins to have an answer.

    Args:
        title: what they are.
        expression: PromQL without variables.
        text: says which one it was; ``{{label}}`` is filled from its labels.
        level: how it is coloured.
    """

    title: str
    expression: str
    text: str
    level: Level


ANNOTATIONS = (
    Annotation(
        "Firing alerts",
        series(prometheus.ALERTS, 'alertstate="firing"'),
        "{{alertname}} {{service}}",
        Level.CRITICAL,
    ),
    Annotation(
        "Incidents",
        newly_counted(own.INCIDENTS_OPENED, RECENTLY),
        "incident opened: {{severity}}",
        Level.WARNING,
    ),
    Annotation(
        "Actions",
        newly_counted(own.ACTIONS, RECENTLY),
        "{{action}} {{state}}",
        Level.OK,
    ),
    Annotation(
        "Deploys and restarts",
        f"changes({process.START_TIME}[{RECENTLY}]) > 0",
        "{{job}} {{instance}} started",
        Level.NOTICE,
    ),
    Annotation(
        "Configuration",
        f"changes({own.CONFIG_RELOAD_TIME}[{RECENTLY}]) > 0",
        "{{job}} read {{file}}",
        Level.NOTICE,
    ),
)
"""In the order they are offered."""
