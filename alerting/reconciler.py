"""Compares with what Prometheus itself says is firing, so that a lost push heals.

Prometheus drops a notification it cannot send, and a service that was down misses it. Its own list
of firing alerts is the truth that both can be held against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
import yaml
from sqlalchemy.engine import Engine

from alerting import tables
from alerting.alert import Alert
from alerting.telemetry import Telemetry
from watchkeeper.clock import Clock, parse_rfc3339
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.storage import reading

LIFETIME_SECONDS = 180.0
"""How long a healed alert fires when no comparison renews it."""


RENEW_SECONDS = 30.0
"""A known alert that ends within this though it fires in Prometheus is renewed."""


class Rules(Protocol):
    """What is needed of Prometheus."""

    def get(self, path: str) -> Any:
        """Return the ``data`` of an endpoint; raise UpstreamError without an answer."""


class Reconciler:
    """Takes in alerts that fire in Prometheus and that no push has brought, twice in a row.

    Once would be too eager: between an alert's first evaluation and its push lies a moment.

    Args:
        accept: takes alerts in as if a client had sent them.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        clock: Clock,
        prometheus: Rules,
        accept: Callable[[Sequence[Alert]], None],
        telemetry: Telemetry,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._prometheus = prometheus
        self._accept = accept
        self._telemetry = telemetry
        self._missed_before: frozenset[str] = frozenset()

    def run(self) -> None:
        """Compare once; without an answer from Prometheus, count why and change nothing."""
        try:
            firing = self._firing_in_prometheus()
        except UpstreamError as error:
            self._telemetry.reconciled(str(error.reason))
            return
        known = self._ends_by_fingerprint()
        missed = {alert.fingerprint: alert for alert in firing if alert.fingerprint not in known}
        healed = [alert for key, alert in missed.items() if key in self._missed_before]
        self._missed_before = frozenset(missed)
        soon = self._clock.now() + timedelta(seconds=RENEW_SECONDS)
        ending = [a for a in firing if a.fingerprint in known and known[a.fingerprint] < soon]
        if healed or ending:
            self._accept([*healed, *ending])
        self._telemetry.reconciled("ok", healed=len(healed))

    def _ends_by_fingerprint(self) -> dict[str, datetime]:
        table = tables.alerts
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(table.c.fingerprint, table.c.ends_at).where(table.c.status == "firing")
            )
            return {row.fingerprint: row.ends_at for row in rows}

    def _firing_in_prometheus(self) -> list[Alert]:
        configuration = yaml.safe_load(self._prometheus.get("/api/v1/status/config")["yaml"])
        found = self._prometheus.get("/api/v1/alerts")["alerts"]
        return firing_alerts(found, configuration or {}, now=self._clock.now())


def firing_alerts(
    found: Iterable[Mapping[str, Any]], configuration: Mapping[str, Any], *, now: datetime
) -> list[Alert]:
    """Return Prometheus' firing alerts with the labels it would push them with.

    Args:
        found: the items of ``/api/v1/alerts``.
        configuration: Prometheus' own, for its external labels.
        now: they are taken to fire for ``LIFETIME_SECONDS`` from now.

    Raises:
        UpstreamError: it rewrites labels before pushing, so the two lists cannot be compared.
    """
    if (configuration.get("alerting") or {}).get("alert_relabel_configs"):
        raise UpstreamError(
            "Prometheus rewrites the labels of alerts before it pushes them",
            reason=Reason.BAD_ANSWER,
        )
    external = (configuration.get("global") or {}).get("external_labels") or {}
    return [
        Alert(
            labels={**{name: str(value) for name, value in external.items()}, **item["labels"]},
            annotations=item["annotations"],
            starts_at=parse_rfc3339(item["activeAt"]),
            ends_at=now + timedelta(seconds=LIFETIME_SECONDS),
        )
        for item in found
        if item["state"] == "firing"
    ]
