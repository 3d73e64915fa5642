"""Accepts alerts and lets them expire: the two ways into the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from alerting import incidents, pipeline, tables
from alerting.alert import Alert
from alerting.configuration import Configuration
from alerting.pipeline import Batch, Event, Work
from alerting.telemetry import Telemetry
from watchkeeper.clock import Clock
from watchkeeper.storage import reading, writing

MAX_EXPIRED = 1000
"""Alerts ended in one transaction; the rest follow in the next second."""


class Router:
    """Runs alerts through the pipeline in one transaction each batch.

    Args:
        on_commit: called after every commit that may have made work for the workers.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        clock: Clock,
        configuration: Configuration,
        telemetry: Telemetry,
        on_commit: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._configuration = configuration
        self._telemetry = telemetry
        self._on_commit = on_commit

    def accept(self, alerts: Sequence[Alert]) -> None:
        """Commit what ``alerts`` change; on return it is on disk.

        Raises:
            StorageError: nothing was kept.
        """
        now = self._clock.now()
        with writing(self._engine) as connection:
            settings = self._configuration
            work = Work(connection, now, settings.alerting, settings.remediation)
            batch = pipeline.process(alerts, work)
            severities = [
                incidents.severity(connection, occurrence.incident_id)
                for occurrence in batch.occurrences
                if occurrence.event is Event.OPENED
            ]
        self._committed(batch, severities)

    def expire(self) -> None:
        """End the alerts whose client stopped renewing them."""
        now = self._clock.now()
        table = tables.alerts
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(table)
                .where(table.c.status == "firing", table.c.ends_at <= now)
                .limit(MAX_EXPIRED)
            ).all()
        if rows:
            self.accept(
                [
                    Alert(
                        row.labels, row.annotations, row.starts_at, row.ends_at, row.generator_url
                    )
                    for row in rows
                ]
            )

    def _committed(self, batch: Batch, severities: list[str]) -> None:
        for severity in severities:
            self._telemetry.opened(severity)
        if batch.occurrences:
            self._on_commit()
