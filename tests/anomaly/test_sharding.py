"""Series are shared out over replicas: each is judged by one, and by another when that one dies."""

from __future__ import annotations

import math
import os
import random
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from anomaly.leases import Leases
from anomaly.ledger import Ledger
from anomaly.settings import QuerySettings, ScaleOutSettings
from anomaly.sharding import Held, Lease, shard_of, shards_to_hold
from tests.agent.postgres_server import PostgresServer
from tests.anomaly.series import key
from tests.anomaly.servers import alertmanager, prometheus_holding, serving
from tests.anomaly.test_live import CONFIG, latencies
from tests.ports import free_port
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


class Replica:
    """One of several ``watchkeeper anomaly`` processes that share a PostgreSQL."""

    def __init__(self, directory: Path, environment: dict[str, str], config: str) -> None:
        directory.mkdir()
        (directory / "anomaly.yml").write_text(config)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "watchkeeper", "anomaly"]
        command += ["--config", str(directory / "anomaly.yml"), "--listen", f"127.0.0.1:{port}"]
        with (directory / "log").open("w") as log:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, **environment, "WATCHKEEPER_DATA_DIR": str(directory)},
                stderr=log,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(30)

    def get(self, path: str) -> Any:
        """Return what it answers, None while it does not."""
        try:
            return requests.get(f"{self.url}{path}", timeout=30).json()
        except requests.ConnectionError:
            return None

    def judged(self) -> dict[str, str]:
        """Return the ids of the series it judges now, by route."""
        found = (self.get("/api/v1/series") or {"series": []})["series"]
        ready = [one for one in found if one["state"] == "ready"]
        return {one["labels"]["http_route"]: one["id"] for one in ready}


ROUTES = [f"/r{at}" for at in range(8)]
SHARED = (
    CONFIG
    + f"""
scale_out:
  database: {{env: ANOMALY_DATABASE_URL}}
  shards: {SHARDS}
  lease: 5s
"""
)


class Latencies:
    """What an application says of itself, some of its routes being slow."""

    def __init__(self) -> None:
        self.slow: set[str] = set()
        self._chance = random.Random(7)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Write the latency of every route now."""
        text = "".join(
            f'latency{{service="taskboard",http_route="{route}"}} '
            f"{self._chance.uniform(0.015, 0.02) + (0.25 if route in self.slow else 0)!r}\n"
            for route in ROUTES
        )
        request.send_response(200)
        request.send_header("Content-Type", "text/plain; version=0.0.4")
        request.end_headers()
        request.wfile.write(text.encode())


@pytest.mark.live
def test_when_a_replica_is_killed_the_other_goes_on_with_its_series_and_alerts(tmp_path, postgres):
    usual = latencies(math.floor(time.time()))[:120]
    samples = {f'latency{{service="taskboard",http_route="{one}"}}': usual for one in ROUTES}
    application = Latencies()
    with (
        serving(application.answer) as target,
        prometheus_holding(tmp_path, samples, scraping=target.removeprefix("http://")) as client,
        alertmanager() as receiver,
    ):
        environment = {
            "WATCHKEEPER_PROMETHEUS_URL": client.base_url,
            "WATCHKEEPER_ALERTING_URL": receiver.url,
            "ANOMALY_DATABASE_URL": postgres,
        }
        with (
            Replica(tmp_path / "a", environment, SHARED) as first,
            Replica(tmp_path / "b", environment, SHARED) as second,
        ):

            def shared_out() -> bool:
                mine, others = set(first.judged()), set(second.judged())
                return bool(mine and others) and mine | others == set(ROUTES) and not mine & others

            wait_until(shared_out, what="both judging a share of the series", timeout_seconds=120)
            told = lambda: {one["labels"]["http_route"] for one in receiver.alerts}  # noqa: E731
            application.slow = set(ROUTES[::2])
            wait_until(
                lambda: told() >= application.slow, what="the first alerts", timeout_seconds=120
            )
            first.kill()
            before = len(receiver.posts)
            application.slow = set(ROUTES)
            wait_until(
                lambda: {
                    one["labels"]["http_route"] for post in receiver.posts[before:] for one in post
                } == set(ROUTES),
                what="the other alerting for all series, those of the dead one too",
                timeout_seconds=120,
            )  # fmt: skip
            judged = wait_until(
                lambda: set(second.judged()) == set(ROUTES) and second.judged(),
                what="the other judging all series",
                timeout_seconds=120,
            )
            for identity in judged.values():
                points = second.get(f"/api/v1/series/{identity}?minutes=2")["points"]
                assert set(np.diff(points["timestamps"])) == {1.0}, "every second is judged"
    starts = {(one["labels"]["http_route"], one["startsAt"]) for one in receiver.alerts}
    assert len(starts) == len(ROUTES), "one alert for each, whoever tells it"


def test_by_default_a_dead_replica_leaves_no_gap_longer_than_two_intervals():
    cadence = QuerySettings(expression="up").cadence
    lease = ScaleOutSettings.model_fields["lease"].default
    # It died just before it would have judged; its lease runs out, the next renewal of another
    # finds that, and judges at once.
    assert cadence + lease + lease / 3 <= 2 * cadence
