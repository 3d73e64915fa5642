"""Leases on shards in the database that the replicas share.

Time is the database's, so that clocks that differ cannot give a shard to two at once; and a replica
that did not reach the database, or did not run, for the length of a lease holds nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from anomaly.sharding import Held, Lease, shards_to_hold
from watchkeeper.clock import Clock
from watchkeeper.errors import StorageError
from watchkeeper.logs import get_logger
from watchkeeper.storage import writing

log = get_logger(__name__)

_SEEN = sa.text(
    "INSERT INTO replicas (name, expires_seconds) VALUES (:name, :expires)"
    " ON CONFLICT (name) DO UPDATE SET expires_seconds = :expires"
)
_TAKE = sa.text(
    "INSERT INTO leases (shard, holder, expires_seconds) VALUES (:shard, :holder, :expires)"
    " ON CONFLICT (shard) DO UPDATE SET holder = :holder, expires_seconds = :expires"
)
_GIVE_BACK = sa.text(
    "UPDATE leases SET holder = NULL WHERE holder = :holder AND expires_seconds < :expires"
)


class Leases:
    """The shards that this replica holds.

    Args:
        engine: the shared database; the ledger has made its tables.
        replica: a name that no other replica has.
        shards: how many there are; the same for all.
        lease_seconds: how long a shard stays with a replica that is not heard of.
        clock: for how long ago the leases were renewed.
    """

    def __init__(
        self, engine: Engine, *, replica: str, shards: int, lease_seconds: float, clock: Clock
    ) -> None:
        self._engine = engine
        self._replica = replica
        self._shards = shards
        self.lease_seconds = lease_seconds
        self._clock = clock
        self._held: frozenset[int] = frozenset()
        self._valid_until_seconds = float("-inf")

    @property
    def held(self) -> Held:
        """Return what this replica may judge now; nothing once its leases have run out."""
        if self._clock.monotonic_seconds() >= self._valid_until_seconds:
            return Held(self._shards, frozenset())
        return Held(self._shards, self._held)

    def renew(self) -> Held:
        """Renew, take and give back as is due, and return what is held from now on."""
        # Counted from before the question: our own end of a lease never comes after the database's.
        began = self._clock.monotonic_seconds()
        try:
            with writing(self._engine) as connection:
                held = self._renewed(connection)
            self._held = held  # only now: what was not committed may be another's
            self._valid_until_seconds = began + self.lease_seconds
        except StorageError as error:
            log.warning("leases cannot be renewed", extra={"error": str(error)})
        return self.held

    def _renewed(self, connection: Connection) -> frozenset[int]:
        # ``writing`` lets replicas look and take one after the other, on either kind of database.
        now = _now_seconds(connection)
        expires = now + self.lease_seconds
        connection.execute(_SEEN, {"name": self._replica, "expires": expires})
        alive = connection.execute(
            sa.text("SELECT count(*) FROM replicas WHERE expires_seconds > :now"), {"now": now}
        ).scalar()
        found = connection.execute(sa.text("SELECT shard, holder, expires_seconds FROM leases"))
        chosen = shards_to_hold(
            [Lease(*row) for row in found],
            replica=self._replica,
            replicas=int(alive or 1),
            shards=self._shards,
            now_seconds=now,
        )
        for shard in sorted(chosen):
            row = {"shard": shard, "holder": self._replica, "expires": expires}
            connection.execute(_TAKE, row)
        connection.execute(_GIVE_BACK, {"holder": self._replica, "expires": expires})
        return chosen

    def give_back(self) -> None:
        """Give every shard back at once, so that nobody waits for the leases to run out."""
        self._held, self._valid_until_seconds = frozenset(), float("-inf")
        try:
            with writing(self._engine) as connection:
                gone = {"holder": self._replica}
                connection.execute(
                    sa.text("UPDATE leases SET holder = NULL WHERE holder = :holder"), gone
                )
                connection.execute(sa.text("DELETE FROM replicas WHERE name = :holder"), gone)
        except StorageError as error:
            log.warning("leases cannot be given back", extra={"error": str(error)})


def _now_seconds(connection: Connection) -> float:
    """Return the database's own time."""
    if connection.dialect.name == "postgresql":
        question = "SELECT EXTRACT(EPOCH FROM clock_timestamp())"
    else:
        question = "SELECT (julianday('now') - 2440587.5) * 86400.0"
    return float(connection.execute(sa.text(question)).scalar_one())
