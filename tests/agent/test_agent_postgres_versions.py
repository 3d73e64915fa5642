"""Every version of PostgreSQL, watched by the documented role, beside Debian's exporter."""

import contextlib
import shutil

import pytest

from agent.collectors.postgres import PostgresCollector
from agent.postgres.versions import Facts
from agent.text import Renderer, TextFormat, text_of
from benchmarks.scraped import Scraped
from tests.agent.documented_sql import documented_sql
from tests.agent.postgres_releases import MAJORS
from tests.agent.postgres_server import PostgresServer
from tests.agent.probes import Page
from tests.agent.test_agent_postgres import ALL_QUESTIONS
from tests.agent.told import SideBySide, Told
from tests.ports import free_port

pytestmark = pytest.mark.live

ABOUT_ITSELF = (
    "go_", "process_", "promhttp_", "pg_exporter_", "postgres_exporter_", "pg_scrape_", "pg_up",
)  # fmt: skip

LEFT_OUT = {
    "pg_stat_archiver_last_archive_age": "told once something was archived, not as NaN",
    "pg_stat_database_checksum_failures": "told where checksums are on, not as NaN",
    "pg_stat_database_checksum_last_failure": "told once there was one, not as NaN",
    "pg_stat_database_stats_reset_total": "told once they were reset, not as NaN",
}
"""Families of the exporter that ours does not have here, and why."""

OF_THE_SESSION = {"pg_settings_extra_float_digits"}
"""Settings that a driver makes for its own session."""

EXPORTER = "prometheus-postgres-exporter"


def watching(server, user="watchkeeper", **changes):
    arguments = {
        "host": "127.0.0.1",
        "port": server.port,
        "database": "postgres",
        "user": user,
        "password": "",
        "statements": 60,
        "tables": 20,
        "timeout_seconds": 3.0,
        "slow_interval_seconds": 0.0,
    }
    return contextlib.closing(PostgresCollector(**(arguments | changes)))


def exposition(collector):
    return text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS)


def side_by_side(server):
    port = free_port()
    command = [EXPORTER, f"--web.listen-address=127.0.0.1:{port}"]
    dsn = f"postgresql://watchkeeper@127.0.0.1:{server.port}/postgres?sslmode=disable"
    theirs = Scraped(EXPORTER, command, port, {"DATA_SOURCE_NAME": dsn})
    try:
        theirs.wait_until_it_answers()
        with watching(server) as collector:
            before = Told.read(theirs.scrape()[1].decode())
            page = exposition(collector)
            after = Told.read(theirs.scrape()[1].decode())
    finally:
        theirs.stop()
    return Page(page), SideBySide(before, Told.read(page.decode()), after, ABOUT_ITSELF)


@pytest.mark.parametrize("major", MAJORS)
def test_the_documented_role_is_told_all_that_the_exporter_is(tmp_path, major):
    if shutil.which(EXPORTER) is None:
        pytest.skip(f"{EXPORTER} is not installed")
    server = PostgresServer(tmp_path, major)
    try:
        server.execute(documented_sql("postgres"))
        server.execute(
            "CREATE TABLE full_table AS SELECT g AS n FROM generate_series(1, 20000) g;"
            "CREATE TABLE bloated (LIKE full_table); INSERT INTO bloated SELECT * FROM full_table;"
            "DELETE FROM bloated WHERE n % 10 > 0; VACUUM bloated; ANALYZE"
        )
        page, beside = side_by_side(server)
    finally:
        server.stop()
    refused = [s.labels for s in page.samples
               if s.name == "pg_scrape_collector_success" and not s.value]  # fmt: skip
    assert refused == []
    assert beside.missing() <= set(LEFT_OUT)
    assert beside.other_types() == {}
    assert beside.other_labels() == {}
    different, compared = beside.other_values()
    assert {name for name, _ in different} <= OF_THE_SESSION
    assert compared > 300
    size = page.value("pg_stat_user_tables_table_size_bytes", relname="bloated")
    assert page.value("pg_table_bloat_bytes", relname="bloated") == pytest.approx(
        size * 0.9, rel=0.1
    )
    assert page.value("pg_table_bloat_bytes", relname="full_table") < size * 0.1


@pytest.fixture(scope="module")
def newest(tmp_path_factory):
    server = PostgresServer(tmp_path_factory.mktemp("newest"))
    yield server
    server.stop()


def test_a_thousand_tables_cost_no_more_series_than_twenty_and_no_question_fails(newest):
    newest.execute("CREATE DATABASE wide")
    with newest.connect(database="wide") as connection:
        connection.execute("; ".join(f"CREATE TABLE t{number} (n int)" for number in range(1000)))
    with watching(newest, "postgres", database="wide", timeout_seconds=1.0) as collector:
        page = Page(exposition(collector))
    assert len(page.labels("pg_stat_user_tables_n_live_tup")) == 20
    assert len(page.samples) < 2000
    failed = [s.labels["collector"] for s in page.samples
              if s.name == "pg_scrape_collector_success" and not s.value]  # fmt: skip
    assert failed == ["stat_statements"]


def test_every_version_of_pg_stat_statements_is_understood(newest):
    versions = [row[0] for row in newest.execute(
        "SELECT version FROM pg_available_extension_versions WHERE name = 'pg_stat_statements'"
    )]  # fmt: skip
    understood = [version for version in versions if tuple(map(int, version.split("."))) >= (1, 4)]
    assert {"1.4", "1.8", "1.11", "1.12"} <= set(understood)
    with watching(newest, "postgres") as collector:
        for version in understood:
            newest.execute(f"CREATE EXTENSION pg_stat_statements VERSION '{version}'; SELECT 1")
            page = Page(exposition(collector))
            newest.execute("DROP EXTENSION pg_stat_statements")
            assert page.value("pg_scrape_collector_success", collector="stat_statements") == 1
            assert page.labels("pg_stat_statements_seconds_total"), version


OLD_NAMES = """
    CREATE SCHEMA nine_six;
    CREATE FUNCTION nine_six.pg_last_xlog_receive_location() RETURNS pg_lsn LANGUAGE sql
      AS 'SELECT pg_last_wal_receive_lsn()';
    CREATE FUNCTION nine_six.pg_last_xlog_replay_location() RETURNS pg_lsn LANGUAGE sql
      AS 'SELECT pg_last_wal_replay_lsn()';
    CREATE FUNCTION nine_six.pg_current_xlog_location() RETURNS pg_lsn LANGUAGE sql
      AS 'SELECT pg_current_wal_lsn()';
    CREATE FUNCTION nine_six.pg_xlog_location_diff(pg_lsn, pg_lsn) RETURNS numeric LANGUAGE sql
      AS 'SELECT pg_wal_lsn_diff($1, $2)';
    CREATE VIEW nine_six.pg_stat_replication AS
      SELECT application_name, client_addr, state, replay_lsn AS replay_location
      FROM pg_catalog.pg_stat_replication;
    CREATE VIEW nine_six.pg_stat_activity AS
      SELECT datid, datname, pid, usename, application_name, client_addr, backend_start, xact_start,
             query_start, state, wait_event_type, wait_event, query
      FROM pg_catalog.pg_stat_activity;
    CREATE EXTENSION pg_stat_statements VERSION '1.4'
"""
"""What 9.6 calls things that 10 renamed (release notes of 10, section Migration)."""


def test_the_words_for_9_6_are_understood_where_its_names_are(tmp_path):
    server = PostgresServer(tmp_path, 10)
    try:
        server.execute(OLD_NAMES)
        words = Facts(90624, statements=104).words()
        with server.connect(options="-c search_path=nine_six,pg_catalog,public") as connection:
            for question in ALL_QUESTIONS:
                if question.since <= 90624:
                    connection.execute(question.statement(words)).fetchall()
    finally:
        server.stop()
