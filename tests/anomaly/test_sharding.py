"""Series are shared out over replicas: each is judged by one, and by another when that one dies."""

from __future__ import annotations

import math
import signal
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.leases import Leases
from anomaly.ledger import Ledger
from anomaly.sharding import Held, Lease, shard_of, shards_to_hold
from tests.agent.postgres_server import PostgresServer
from tests.anomaly.series import key
from tests.anomaly.servers import alertmanager, prometheus_holding
from tests.anomaly.test_live import Running, latencies
from tests.waiting import wait_until
from watchkeeper.clock import ManualClock, SystemClock, parse_rfc3339
from watchkeeper.storage import open_database, sqlite_url

SHARDS = 6


@given(st.integers(1, 12), st.integers(1, 5))
def test_shards_end_up_evenly_shared_and_each_with_one_replica(shards, replicas):
    leases: list[Lease] = []
    for _ in range(4):
        for replica in map(str, range(replicas)):
            chosen = shards_to_hold(
                leases, replica=replica, replicas=replicas, shards=shards, now_seconds=0.0
            )
            others = [one for one in leases if one.holder != replica and one.shard not in chosen]
            leases = others + [Lease(shard, replica, 10.0) for shard in chosen]
    assert sorted(one.shard for one in leases) == list(range(shards))
    counts = [sum(one.holder == str(at) for one in leases) for at in range(replicas)]
    assert max(counts) <= math.ceil(shards / replicas)


def test_what_another_holds_is_not_taken_before_its_lease_runs_out():
    leases = [Lease(0, "other", 10.0)]
    asked = {"replica": "me", "replicas": 1, "shards": 2}
    assert shards_to_hold(leases, now_seconds=9.0, **asked) == {1}
    assert shards_to_hold(leases, now_seconds=10.0, **asked) == {0, 1}


def test_every_series_has_one_shard_whatever_the_replica():
    shards = [shard_of(key(f"/{at}"), 8) for at in range(400)]
    assert set(shards) == set(range(8))
    held = [Held(8, frozenset({at})) for at in range(8)]
    assert all(sum(one.owns(key(f"/{at}")) for one in held) == 1 for at in range(400))


@pytest.fixture
def engine(tmp_path):
    engine = open_database(sqlite_url(tmp_path / "anomaly.db"))
    Ledger(engine)
    return engine


def test_a_replica_that_could_not_renew_in_time_holds_nothing(engine):
    clock = ManualClock(parse_rfc3339("2026-01-01T00:00:00Z"))
    leases = Leases(engine, replica="a", shards=4, lease_seconds=30.0, clock=clock)
    assert leases.renew().numbers == {0, 1, 2, 3}
    clock.advance(29.9)
    assert leases.held.numbers == {0, 1, 2, 3}
    clock.advance(0.2)
    assert leases.held.numbers == set()


def test_a_second_replica_gets_its_share_and_one_that_leaves_gives_all_back(engine):
    clock = SystemClock()
    first, second = (
        Leases(engine, replica=name, shards=4, lease_seconds=30.0, clock=clock) for name in "ab"
    )
    assert first.renew().numbers == {0, 1, 2, 3}
    assert second.renew().numbers == set()
    assert first.renew().numbers == {0, 1}
    assert second.renew().numbers == {2, 3}
    first.give_back()
    assert first.held.numbers == set()
    assert second.renew().numbers == {0, 1, 2, 3}


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    server = PostgresServer(tmp_path_factory.mktemp("shards"))
    yield f"postgresql+psycopg://postgres@127.0.0.1:{server.port}/postgres"
    server.process.send_signal(signal.SIGINT)
    server.process.wait(20)


class Replica(Running):
    """One of two services that share a PostgreSQL."""

    def __init__(self, directory, prometheus_url, alerts_url, database) -> None:
        directory.mkdir()
        self.database = database
        self.is_dead = False
        super().__init__(directory, prometheus_url, alerts_url)

    def parts(self) -> dict:
        engine = open_database(self.database)
        leases = {"shards": SHARDS, "lease_seconds": 1.5, "clock": SystemClock()}
        return {
            "ledger": Ledger(engine),
            "leases": Leases(engine, replica=self.config.parent.name, **leases),
        }

    def routes(self) -> set[str]:
        """Return the routes that this replica judges now."""
        if self.client.get("/readyz").status_code != 200:
            return set()
        found = self.get("/api/v1/series")["series"]
        return {one["labels"]["http_route"] for one in found if one["state"] == "ready"}

    def die(self) -> None:
        """Stop everything at once without a word to anyone, as SIGKILL would."""
        self.service._jobs.stop()
        self.service._courier.stop()
        self.is_dead = True

    def __exit__(self, *_exc: object) -> None:
        if not self.is_dead:
            self.service.stop()


@pytest.mark.live
def test_when_a_replica_dies_the_other_goes_on_with_its_series_and_alerts(tmp_path, postgres):
    names = [f"/r{at}" for at in range(10)]
    begin = math.floor(time.time()) + 7
    usual = latencies(begin)
    slow = [(at, value + (0.25 if at >= begin else 0)) for at, value in usual]
    samples = {f'latency{{service="taskboard",http_route="{one}"}}': slow for one in names}
    with (
        prometheus_holding(tmp_path, samples) as client,
        alertmanager() as receiver,
        Replica(tmp_path / "a", client.base_url, receiver.url, postgres) as first,
        Replica(tmp_path / "b", client.base_url, receiver.url, postgres) as second,
    ):
        wait_until(
            lambda: first.routes() and second.routes()
            and first.routes() | second.routes() == set(names),
            what="both having a share",
        )  # fmt: skip
        wait_until(
            lambda: not first.routes() & second.routes(), what="each series being judged by one"
        )
        told = lambda: {one["labels"]["http_route"] for one in receiver.alerts}  # noqa: E731
        wait_until(lambda: told() == set(names), what="an alert for every series")
        first.die()
        before = len(receiver.posts)
        wait_until(lambda: second.routes() == set(names), what="the other taking over")
        wait_until(
            lambda: {
                one["labels"]["http_route"] for post in receiver.posts[before:] for one in post
            } == set(names),
            what="every alert being repeated by the other",
        )  # fmt: skip
    starts = {(one["labels"]["http_route"], one["startsAt"]) for one in receiver.alerts}
    assert len(starts) == len(names)
