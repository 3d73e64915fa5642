"""What console.yml may hold."""

from __future__ import annotations

from pydantic import Field

from dashboards.report.settings import ReportSettings
from watchkeeper.configuration import DurationSeconds, Settings


class ConsoleSettings(Settings):
    """The console: whom it asks, how often, and how much it shows."""

    refresh_seconds: DurationSeconds = Field(default=3.0, ge=1, le=300, alias="refresh")
    """How often each source is asked and open pages are brought up to date."""

    source_timeout_seconds: DurationSeconds = Field(
        default=2.0, gt=0, le=30, alias="source_timeout"
    )
    """How long one source may take to answer before its part of the page says so."""

    parts: tuple[str, ...] = ("agent", "anomaly", "alerting", "remediation")
    """Services of ours whose /readyz is shown; read when the console starts."""

    recent_seconds: DurationSeconds = Field(default=3600.0, gt=0, alias="recent")
    """How far back 'recently resolved' and 'what changed' look."""

    charts: int = Field(default=6, ge=1, le=50)
    """How many unusual series the first page draws."""

    chart_minutes: int = Field(default=30, ge=1, le=1440)
    """How far back a series is drawn."""

    report: ReportSettings | None = None
    """When a report goes out by e-mail, and to whom; none does without it."""
