"""Accepts alerts and lets them expire: the two ways into the pipeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from alerting import escalation, incident_view, outbox, pipeline, reminders, rule_modes, tables
from alerting.alert import Alert
from alerting.configuration import Configuration
from alerting.group_commit import GroupCommit
from alerting.pipeline import Batch, Event, Work
from alerting.telemetry import Telemetry
from alerting.transitions import Change
from watchkeeper.clock import Clock
from watchkeeper.storage import reading, writing

MAX_EXPIRED = 1000
MAX_REVIEWED = 200
"""Alerts looked at again in one transaction; the rest follow in the next, longest unseen first."""

Condition = Callable[[datetime], sa.ColumnElement[bool]]


class Router:
    """Runs alerts through the pipeline in one transaction each batch.

    Args:
        on_commit: called with the names of receivers after every commit that may have made work for
            their couriers, or planned actions.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        clock: Clock,
        configuration: Configuration,
        telemetry: Telemetry,
        on_commit: Callable[[Collection[str]], None],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._configuration = configuration
        self._telemetry = telemetry
        self._on_commit = on_commit
        self._together = GroupCommit(self._commit)

    def accept(self, alerts: Sequence[Alert]) -> None:
        """Commit what ``alerts`` change; on return it is on disk.

        Raises:
            StorageError: nothing was kept.
        """
        self._together.add(alerts)

    def _commit(self, alerts: Sequence[Alert]) -> None:
        self._run(lambda _connection, _now: alerts, is_from_client=True)

    def expire(self) -> None:
        """End the alerts whose client stopped renewing them."""
        self._run_if_any(_has_expired, limit=MAX_EXPIRED)

    def review(self) -> None:
        """Let go on what nothing mutes any more."""
        self._run_if_any(_is_held_back, limit=MAX_REVIEWED)

    def escalate(self) -> None:
        """Call the next person for what nobody has taken in time."""
        if self._configuration.alerting.escalation:
            self._tell_what_is_due(escalation.escalate)

    def remind(self) -> None:
        """Tell again of what still fires and was last told of long ago."""
        if reminders.shortest_interval_seconds(self._configuration.alerting) is not None:
            self._tell_what_is_due(reminders.remind)

    def _tell_what_is_due(self, tell: Callable[[Work], int]) -> None:
        settings = self._configuration
        with writing(self._engine) as connection:
            work = Work(connection, self._clock.now(), settings.alerting, settings.remediation)
            count = tell(work)
        if count:
            self._on_commit({receiver.name for receiver in settings.alerting.receivers})

    def review_all(self) -> None:
        """Look at every firing alert again, after silences or the time of day have changed."""
        self._run_if_any(_is_firing, limit=MAX_EXPIRED)

    def _run_if_any(self, condition: Condition, *, limit: int) -> None:
        with reading(self._engine) as connection:
            if not _matching(connection, condition, self._clock.now(), limit=1):
                return
        # Read again under the write lock: a client may have renewed or ended one meanwhile.
        self._run(
            lambda connection, now: _matching(connection, condition, now, limit=limit),
            is_from_client=False,
        )

    def _run(
        self, find: Callable[[Connection, datetime], Sequence[Alert]], *, is_from_client: bool
    ) -> None:
        with writing(self._engine) as connection:
            now = self._clock.now()
            settings = self._configuration
            rules = rule_modes.in_force(connection, settings.remediation)
            work = Work(connection, now, settings.alerting, rules)
            batches = [
                pipeline.process(alerts, work, is_from_client=is_from_client)
                for alerts in rounds(find(connection, now))
            ]
            occurrences = [found for batch in batches for found in batch.occurrences]
            opened = [found.incident_id for found in occurrences if found.event is Event.OPENED]
            severities = incident_view.severities(connection, opened)
        if is_from_client:
            self._telemetry.duplicate_avoided("renewal", sum(map(_renewals, batches)))
        for severity in severities:
            self._telemetry.opened(severity)
        if occurrences:
            self._on_commit({name for found in occurrences for name in found.receivers})


def _renewals(batch: Batch) -> int:
    """Return how many alerts of a batch only said again what was known."""
    return sum(t.change is Change.RENEWED and not t.says_more for t in batch.transitions)


def rounds(alerts: Sequence[Alert]) -> list[list[Alert]]:
    """Split a batch so that no round holds an alert twice; each says its states in their order."""
    found: list[list[Alert]] = []
    times_seen: Counter[str] = Counter()
    for alert in alerts:
        number = times_seen[alert.fingerprint]
        times_seen[alert.fingerprint] += 1
        if number == len(found):
            found.append([])
        found[number].append(alert)
    return found


def _has_expired(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(tables.alerts.c.status == "firing", tables.alerts.c.ends_at <= now)


def _is_firing(_now: datetime) -> sa.ColumnElement[bool]:
    return tables.alerts.c.status == "firing"


def _is_held_back(_now: datetime) -> sa.ColumnElement[bool]:
    alerts = tables.alerts
    # What is muted may be in an incident already, whose first message waits for that then.
    is_untold = sa.and_(
        alerts.c.is_muted,
        outbox.is_untried(alerts.c.incident_id, event=Event.OPENED),
    )
    held_back = sa.or_(alerts.c.incident_id.is_(None), is_untold)
    return sa.and_(alerts.c.status == "firing", held_back)


def _matching(
    connection: Connection, condition: Condition, now: datetime, *, limit: int
) -> list[Alert]:
    query = sa.select(tables.alerts).where(condition(now))
    query = query.order_by(tables.alerts.c.updated_at).limit(limit)
    return [
        Alert(row.labels, row.annotations, row.starts_at, row.ends_at, row.generator_url)
        for row in connection.execute(query)
    ]
