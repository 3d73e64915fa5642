"""A real PostgreSQL is watched over one connection, and never hurt."""

import threading

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collector import CollectionFailed
from agent.collectors.postgres import (
    QUESTIONS,
    SLOW_QUESTIONS,
    TABLE_QUESTIONS,
    PostgresCollector,
)
from agent.postgres.statements import statements
from agent.postgres.versions import Facts
from agent.sql.blocking import root_blockers
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probes import Page
from tests.waiting import wait_until
from watchkeeper.errors import Reason

pytestmark = pytest.mark.live


def collector_of(port, **changes):
    arguments = {
        "host": "127.0.0.1",
        "port": port,
        "database": "taskboard",
        "user": "taskboard",
        "password": "",
        "statements": 60,
        "tables": 10,
        "timeout_seconds": 1.0,
        "slow_interval_seconds": 0.0,
    }
    return PostgresCollector(**(arguments | changes))


@pytest.fixture
def collector(postgres_port):
    collector = collector_of(postgres_port)
    yield collector
    collector.close()


def collected(collector):
    return Page(text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS))


def our_connections(database):
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'watchkeeper-agent'"
    return database.execute(query).fetchone()[0]


def test_a_server_is_up_and_told_of_under_its_address(collector, postgres_port):
    page = collected(collector)
    server = f"127.0.0.1:{postgres_port}"
    assert page.value("pg_up", server=server) == 1
    assert page.value("pg_settings_max_connections", server=server) == 60
    assert page.value("pg_settings_shared_buffers_bytes") == 32 << 20
    assert page.value("pg_database_size_bytes", datname="taskboard") > 1_000_000
    assert page.value("pg_stat_database_blks_hit", datname="taskboard") > 0
    assert {labels["server"] for labels in page.labels("pg_scrape_collector_success")} == {server}
    assert all(s.value for s in page.samples if s.name == "pg_scrape_collector_success")


def test_connections_are_counted_by_state_also_at_zero(collector, database):
    before = collected(collector)
    database.execute("BEGIN")
    after = collected(collector)
    database.execute("ROLLBACK")
    state = {"datname": "taskboard", "state": "idle in transaction"}
    assert before.value("pg_stat_activity_count", **state) == 0
    assert after.value("pg_stat_activity_count", **state) == 1
    assert after.value("pg_stat_activity_max_tx_duration", **state) >= 0


def test_statements_are_told_with_their_text_and_without_literals(collector, database):
    database.execute("SELECT pg_stat_statements_reset()")
    for number in (4711, 4712):
        database.execute(f"SELECT {number} AS answer")
    database.execute("ALTER ROLE taskboard PASSWORD 'hunter2'")
    page = collected(collector)
    texts = {x["query"]: x["queryid"] for x in page.labels("pg_stat_statements_query_id")}
    assert "ALTER ROLE taskboard PASSWORD ?" in texts
    assert not any("hunter2" in text or "4711" in text for text in texts)
    queryid = texts["SELECT $1 AS answer"]
    assert page.value("pg_stat_statements_calls_total", queryid=queryid) == 2
    assert page.value("pg_stat_statements_rows_total", queryid=queryid) == 2
    assert page.value("pg_stat_statements_seconds_total", queryid=queryid) > 0


def test_statements_are_bounded(postgres_port, database):
    for number in range(30):
        database.execute(f"SELECT {', '.join('1' for _ in range(number + 1))}")
    collector = collector_of(postgres_port, statements=10)
    assert len(collected(collector).labels("pg_stat_statements_calls_total")) == 10
    collector.close()


def test_tables_and_indexes_are_told_with_their_size_and_bounded(postgres_port, database):
    database.execute("DROP SCHEMA IF EXISTS shop CASCADE")
    database.execute("CREATE SCHEMA shop")
    for number in range(6):
        database.execute(f"CREATE TABLE shop.t{number} (n int PRIMARY KEY)")
    database.execute("INSERT INTO shop.t3 SELECT generate_series(1, 5000)")
    database.execute("VACUUM ANALYZE shop.t3")
    collector = collector_of(postgres_port, tables=4)
    page = collected(collector)
    collector.close()
    table = {"schemaname": "shop", "relname": "t3"}
    assert page.value("pg_stat_user_tables_n_live_tup", **table) == 5000
    assert page.value("pg_stat_user_tables_table_size_bytes", **table) >= 5000 * 28
    assert page.value("pg_stat_user_tables_last_vacuum", **table) > 1.6e9
    assert page.value("pg_stat_user_indexes_size_bytes", **table, indexrelname="t3_pkey") > 0
    assert len(page.labels("pg_stat_user_tables_n_live_tup")) == 4
    assert len(page.labels("pg_stat_user_indexes_size_bytes")) == 4


def test_the_root_of_a_chain_of_locks_is_named(collector, postgres_port, database):
    database.execute("DROP TABLE IF EXISTS account; CREATE TABLE account (n int)")
    database.execute("INSERT INTO account VALUES (1), (2)")
    root, middle, last = (connect(postgres_port, name) for name in ("root", "middle", "last"))
    root.execute("UPDATE account SET n = 10 WHERE n = 1 AND 'secret' = 'secret'")
    middle.execute("UPDATE account SET n = 20 WHERE n = 2")
    waiting = [
        threading.Thread(target=session.execute, args=[statement])
        for session, statement in (
            (middle, "UPDATE account SET n = 11 WHERE n = 1"),
            (last, "UPDATE account SET n = 21 WHERE n = 2"),
        )
    ]
    for thread in waiting:
        thread.start()
    try:
        page = wait_until(
            lambda: at_least(collected(collector), "pg_blocked_sessions", 2), what="both blocked"
        )
        (labels,) = page.labels("pg_root_blocker_sessions")
        assert labels["application_name"] == "root"
        assert labels["state"] == "idle in transaction"
        assert labels["query"] == "UPDATE account SET n = ? WHERE n = ? AND ? = ?"
        assert page.value("pg_root_blocker_sessions") == 2
        assert page.value("pg_root_blocker_transaction_seconds") > 0
        assert page.value("pg_blocked_longest_seconds") > 0
    finally:
        root.rollback()
        waiting[0].join(20)
        middle.rollback()
        waiting[1].join(20)
        for session in (root, middle, last):
            session.close()
    assert collected(collector).value("pg_blocked_sessions") == 0


def connect(port, name):
    return psycopg.connect(
        host="127.0.0.1", port=port, dbname="taskboard", user="postgres", application_name=name
    )


def at_least(page, metric, count):
    return page if page.value(metric) >= count else None


def test_a_session_held_up_through_others_counts_for_the_root():
    assert root_blockers({2: [1], 3: [2], 4: [3, 9]}) == {1: 3, 9: 1}


def test_sessions_that_wait_in_a_circle_have_no_root():
    assert root_blockers({1: [2], 2: [1]}) == {}


@given(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 12), max_size=4), max_size=9))
def test_a_root_never_waits_and_holds_up_no_more_than_wait(blockers):
    roots = root_blockers(blockers)
    assert not set(roots) & set(blockers)
    assert all(1 <= count <= len(blockers) for count in roots.values())


ALL_QUESTIONS = (*QUESTIONS, *SLOW_QUESTIONS, statements(5), *(one(5) for one in TABLE_QUESTIONS))


@pytest.mark.parametrize("version", [90600, 100000, 130000, 140000, 150000, 170000, 180000])
def test_every_version_is_asked_in_its_own_words(version):
    words = Facts(version, statements=104).words()
    asked = " ".join(one.statement(words) for one in ALL_QUESTIONS if version >= one.since)
    assert ("xlog" in asked) == (version < 100000)
    assert ("waitstart" in asked) == (version >= 140000)
    assert ("pg_stat_checkpointer" in asked) == (version >= 170000)


@pytest.mark.parametrize("release", [104, 107, 108, 110, 111, 112])
def test_statements_are_asked_for_in_the_words_of_the_extension_not_the_server(release):
    asked = statements(5).statement(Facts(180000, statements=release).words())
    assert ("total_exec_time" in asked) == (release >= 108)
    assert ("shared_blk_read_time" in asked) == (release >= 111)


def test_slow_questions_are_told_again_until_they_are_due(postgres_port, database):
    collector = collector_of(postgres_port, slow_interval_seconds=3600)
    collected(collector)
    database.execute("SELECT 1 AS asked_later")
    page = collected(collector)
    collector.close()
    texts = [labels["query"] for labels in page.labels("pg_stat_statements_query_id")]
    assert texts
    assert "SELECT $1 AS asked_later" not in texts
    assert page.value("pg_settings_max_connections") == 60


def test_a_server_without_statements_is_told_of_in_all_else(postgres_port):
    collector = collector_of(postgres_port, database="postgres")
    page = collected(collector)
    collector.close()
    assert page.value("pg_up") == 1
    assert page.value("pg_scrape_collector_success", collector="stat_statements") == 0
    assert page.value("pg_scrape_collector_success", collector="stat_database") == 1


def test_however_often_it_is_asked_it_sees_one_connection_of_ours(collector, database):
    for _ in range(5):
        collected(collector)
    assert our_connections(database) == 1
    collector.close()
    wait_until(lambda: our_connections(database) == 0, what="the connection closing")


def test_a_locked_catalogue_costs_a_question_not_the_server(collector, database):
    collected(collector)
    database.execute("BEGIN")
    database.execute("LOCK TABLE pg_database IN ACCESS EXCLUSIVE MODE")
    page = collected(collector)
    assert page.value("pg_up") == 1
    for question in ("stat_database", "stat_activity", "stat_user_tables"):
        assert page.value("pg_scrape_collector_success", collector=question) == 0
    assert page.value("pg_scrape_collector_success", collector="static") == 1
    database.execute("ROLLBACK")
    assert our_connections(database) == 1
    page = collected(collector)
    assert page.value("pg_scrape_collector_success", collector="stat_activity") == 1


def test_it_can_write_nothing(collector):
    collected(collector)
    with pytest.raises(Exception, match="read-only transaction"):
        collector._interview._session.ask("CREATE TABLE hurt (n int)")


def test_a_connection_that_was_cut_is_told_and_made_again(collector, database):
    collected(collector)
    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'watchkeeper-agent'"
    )
    with pytest.raises(CollectionFailed) as caught:
        collected(collector)
    (down,) = caught.value.families
    assert (str(down.metric), down.samples[0][1]) == ("pg_up", 0)
    assert collected(collector).value("pg_up") == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user": "nobody_here"}, Reason.AUTHENTICATION),
        ({"port": 1}, Reason.CONNECTION),
        ({"database": "nowhere"}, Reason.CONNECTION),
    ],
)
def test_why_it_is_down_is_told(postgres_port, changes, reason):
    with pytest.raises(CollectionFailed) as caught:
        collected(collector_of(**({"port": postgres_port} | changes)))
    assert caught.value.reason is reason


def test_a_server_that_accepts_and_says_nothing_is_given_up_on(silent_port):
    with pytest.raises(CollectionFailed) as caught:
        collected(collector_of(silent_port))
    assert caught.value.reason is Reason.TIMEOUT
