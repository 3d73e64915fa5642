"""A PostgreSQL that fails in every usual way: told with its reason, and watched again by itself."""

import contextlib
import signal

import psycopg
import pytest

from agent.collector import CollectionFailed
from agent.collectors.postgres import PostgresCollector
from agent.text import Renderer, TextFormat, text_of
from tests.agent.documented_sql import documented_sql
from tests.agent.postgres_server import PostgresServer, standby_of
from tests.agent.probes import Page
from tests.waiting import wait_until
from watchkeeper.errors import Reason

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = PostgresServer(
        tmp_path_factory.mktemp("faulty"), max_connections=10, wal_level="logical"
    )
    server.execute(documented_sql("postgres"))
    yield server
    server.stop()


def collector_of(server, **changes):
    arguments = {
        "host": "127.0.0.1",
        "port": server.port,
        "database": "postgres",
        "user": "watchkeeper",
        "password": "",
        "statements": 20,
        "tables": 10,
        "timeout_seconds": 1.0,
        "slow_interval_seconds": 0.0,
    }
    return contextlib.closing(PostgresCollector(**(arguments | changes)))


def collected(collector):
    return Page(text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS))


def still_up(collector):
    try:
        return collected(collector)
    except CollectionFailed:
        return None


def refused(page):
    success = (s for s in page.samples if s.name == "pg_scrape_collector_success")
    return {sample.labels["collector"] for sample in success if not sample.value}


def test_a_killed_server_is_down_at_once_and_watched_again_when_it_is_back(server):
    with collector_of(server) as collector:
        collected(collector)
        server.stop(signal.SIGKILL)
        for _ in range(2):  # on the connection it had, and when making one
            with pytest.raises(CollectionFailed) as caught:
                collected(collector)
            assert caught.value.reason is Reason.CONNECTION
        server.start()
        assert refused(collected(collector)) == set()


def test_a_rotated_password_is_told_as_such_and_the_new_one_lets_in(server):
    server.execute("CREATE ROLE rotated LOGIN PASSWORD 'old' IN ROLE pg_monitor")
    with asking_for_passwords(server):
        with collector_of(server, user="rotated", password="old") as collector:
            assert collected(collector).value("pg_up") == 1
            server.execute(
                "ALTER ROLE rotated PASSWORD 'new';"
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotated'"
            )
            for reason in (Reason.CONNECTION, Reason.AUTHENTICATION):
                with pytest.raises(CollectionFailed) as caught:
                    collected(collector)
                assert caught.value.reason is reason
                assert "old" not in str(caught.value)
        with collector_of(server, user="rotated", password="new") as collector:
            assert collected(collector).value("pg_up") == 1


@contextlib.contextmanager
def asking_for_passwords(server):
    """All roles but the superuser need one."""
    file = server.cluster / "pg_hba.conf"
    before = file.read_text()
    try:
        file.write_text(
            "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        server.execute("SELECT pg_reload_conf()")
        yield
    finally:
        file.write_text(before)
        server.execute("SELECT pg_reload_conf()")


def test_a_role_without_rights_is_told_what_anyone_may_know_and_which_question_failed(server):
    server.execute("CREATE ROLE poor LOGIN")
    with collector_of(server, user="poor") as collector:
        page = collected(collector)
        assert page.value("pg_up") == 1
        assert refused(page) == {"wal"}
        assert page.value("pg_stat_database_numbackends", datname="postgres") > 0
        server.execute("GRANT pg_monitor TO poor")
        assert refused(collected(collector)) == set()


def test_a_dropped_database_is_told_and_a_new_one_of_the_name_is_watched(server):
    server.execute("CREATE DATABASE short_lived")
    with collector_of(server, database="short_lived") as collector:
        collected(collector)
        server.execute("DROP DATABASE short_lived WITH (FORCE)")
        with pytest.raises(CollectionFailed):
            collected(collector)
        with pytest.raises(CollectionFailed, match='database "short_lived" does not exist'):
            collected(collector)
        server.execute("CREATE DATABASE short_lived")
        assert collected(collector).value("pg_up") == 1


def test_a_server_with_no_connection_left_is_down_and_comes_back_by_itself(server):
    with collector_of(server) as collector:
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    stack.enter_context(server.connect(user="watchkeeper"))
            with pytest.raises(CollectionFailed, match="connection slots"):
                collected(collector)
        page = wait_until(lambda: still_up(collector), what="a connection being free")
        assert 0 < page.value("pg_connection_saturation_ratio") < 1


def test_a_table_that_is_locked_for_long_holds_up_none_of_our_questions(server):
    server.execute("CREATE TABLE locked (n int PRIMARY KEY); ANALYZE locked")
    with collector_of(server) as collector, server.connect() as holder:
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        page = collected(collector)
        assert refused(page) == set()
        assert page.value("pg_locks_count", datname="postgres", mode="accessexclusivelock") >= 1
        holder.execute("ROLLBACK")


def test_a_standby_and_its_lag_are_told_from_both_sides(server, tmp_path):
    directory = tmp_path / "standby"
    directory.mkdir()
    with standby_of(server, directory) as standby, collector_of(server) as ours:
        page = wait_until(lambda: with_standby(collected(ours)), what="the standby streaming")
        (labels,) = page.labels("pg_stat_replication_pg_wal_lsn_diff")
        assert labels["application_name"] == "second"
        slot = {"slot_name": "second", "slot_type": "physical"}
        assert page.value("pg_replication_slot_slot_is_active", **slot) == 1
        assert page.value("pg_replication_slot_wal_status", **slot, wal_status="reserved") == 1
        assert page.value("pg_replication_is_replica") == 0
        with collector_of(standby) as theirs:
            page = collected(theirs)
            assert refused(page) == set()
            assert page.value("pg_replication_is_replica") == 1
            assert page.value("pg_replication_lag_seconds") >= 0
            server.execute("CREATE TABLE seen (n int)")
            wait_until(lambda: has_replayed(collected(theirs)), what="a transaction replayed")
            # Held back on purpose, it falls behind and both sides say so.
            standby.execute("SELECT pg_wal_replay_pause()")
            server.execute("CREATE TABLE ahead AS SELECT generate_series(1, 20000) AS n")
            wait_until(lambda: behind(collected(ours)), what="the standby falling behind")
            wait_until(lambda: lags(collected(theirs)), what="its lag")
            server.stop(signal.SIGKILL)
            assert collected(theirs).value("pg_up") == 1
    server.start()


def with_standby(page):
    return page if page.labels("pg_stat_replication_pg_wal_lsn_diff") else None


def has_replayed(page):
    return page.value("pg_replication_last_replay_seconds") is not None


def lags(page):
    return page.value("pg_replication_lag_seconds") > 0


def behind(page):
    return page.value("pg_stat_replication_pg_wal_lsn_diff") > 500_000


def test_further_databases_are_told_of_and_one_that_goes_costs_its_own_series_only(server):
    for name in ("orders", "stock"):
        server.execute(f"CREATE DATABASE {name}")
        server.execute(f"CREATE TABLE {name}_table AS SELECT 1 AS n; ANALYZE", database=name)
    with collector_of(server, databases=("orders", "stock")) as collector:
        page = collected(collector)
        assert refused(page) == set()
        for name in ("orders", "stock"):
            table = {"datname": name, "relname": f"{name}_table"}
            assert page.value("pg_stat_user_tables_n_live_tup", **table) >= 1
            assert page.value("pg_scrape_collector_success", collector=f"database {name}") == 1
        assert len(page.labels("pg_up")) == 1
        assert ours(server) == {"postgres": 1, "orders": 1, "stock": 1}
        server.execute("DROP DATABASE stock WITH (FORCE)")
        page = collected(collector)
        assert refused(page) == {"database stock"}
        assert page.value("pg_up") == 1
        assert page.labels("pg_stat_user_tables_n_live_tup")[-1]["datname"] == "orders"
        server.execute("CREATE DATABASE stock")
        assert wait_until(lambda: refused(collected(collector)) == set(), what="its coming back")


def test_a_further_database_that_there_is_no_time_for_costs_the_server_nothing(server):
    server.execute("CREATE DATABASE late")
    # A login and a question of a second each could outlast the run: neither is begun.
    with collector_of(server, databases=("late",), run_seconds=1.9) as collector:
        page = collected(collector)
        assert page.value("pg_up") == 1
        assert refused(page) == {"database late"}
        assert ours(server) == {"postgres": 1}


def ours(server):
    """Our connections by database."""
    query = (
        "SELECT datname, count(*) FROM pg_stat_activity "
        "WHERE application_name = 'watchkeeper-agent' GROUP BY 1"
    )
    return dict(server.execute(query))
