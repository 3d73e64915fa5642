"""A real MariaDB is watched over one connection, as mysqld_exporter would, and never hurt."""

import contextlib
import shutil
import signal
import threading

import pymysql
import pytest

from agent.collector import CollectionFailed
from agent.collectors.mysql import QUESTIONS, SLOW_QUESTIONS, MysqlCollector
from agent.mysql.replicas import REPLICA
from agent.mysql.statements import statements, table_waits
from agent.mysql.values import as_number
from agent.mysql.versions import Release, parse_version
from agent.text import Renderer, TextFormat, text_of
from benchmarks.scraped import Scraped
from tests.agent.documented_sql import documented_sql
from tests.agent.mysql_server import MysqlServer
from tests.agent.probes import Page
from tests.agent.told import SideBySide, Told
from tests.ports import free_port
from tests.waiting import wait_until
from watchkeeper.errors import Reason

pytestmark = pytest.mark.live

EXPORTER = "prometheus-mysqld-exporter"
COLLECTED = (
    "info_schema.processlist", "info_schema.innodb_metrics", "perf_schema.eventsstatements",
    "perf_schema.tableiowaits", "binlog_size",
)  # fmt: skip
"""What the exporter must be told to collect, beside what it does by itself."""
ABOUT_ITSELF = ("go_", "process_", "promhttp_", "mysqld_exporter_", "mysql_exporter_", "mysql_up")

PASSWORD = "a-password"

SHOP = """
    CREATE DATABASE shop; USE shop;
    CREATE TABLE orders (id int PRIMARY KEY AUTO_INCREMENT, n int);
    INSERT INTO orders (n) VALUES (1), (2);
    CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1, MASTER_USER = 'replica',
      MASTER_PASSWORD = 'hunter2'
"""

STATEMENTS = """
    USE shop; INSERT INTO orders (n) VALUES (4711), (4712); SELECT * FROM orders WHERE n = 4711;
    CREATE USER bob@localhost IDENTIFIED BY 'hunter2';
    SET PASSWORD FOR bob@localhost = password('hunter2'); DROP USER bob@localhost
"""
"""The server forgets its statements when it ends."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = MysqlServer(tmp_path_factory.mktemp("mysql"))
    server.execute(documented_sql("mysql").replace("…", PASSWORD))
    server.execute(f"{SHOP}; FLUSH TABLES")  # what is only in memory would not survive a SIGKILL
    yield server
    server.stop()


def collector_of(server, **changes):
    arguments = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": "watchkeeper",
        "password": PASSWORD,
        "statements": 250,
        "tables": 20,
        "timeout_seconds": 1.0,
        "slow_interval_seconds": 0.0,
    }
    return MysqlCollector(**(arguments | changes))


@pytest.fixture
def collector(server):
    with contextlib.closing(collector_of(server)) as collector:
        yield collector


def exposition(collector):
    return text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS)


def collected(collector):
    return Page(exposition(collector))


def refused(page):
    success = (s for s in page.samples if s.name == "mysql_exporter_collector_success")
    return [sample.labels["collector"] for sample in success if not sample.value]


def test_the_documented_user_is_told_all_that_the_exporter_is(server, collector):
    if shutil.which(EXPORTER) is None:
        pytest.skip(f"{EXPORTER} is not installed")
    port = free_port()
    options = [f"--collect.{name}" for name in COLLECTED]
    command = [EXPORTER, f"--web.listen-address=127.0.0.1:{port}", *options]
    server.execute(STATEMENTS)
    dsn = f"watchkeeper:{PASSWORD}@(127.0.0.1:{server.port})/"
    theirs = Scraped(EXPORTER, command, port, {"DATA_SOURCE_NAME": dsn})
    try:
        with server.connect():
            theirs.wait_until_it_answers()
            exposition(collector)
            before = Told.read(theirs.scrape()[1].decode())
            page = exposition(collector)
            after = Told.read(theirs.scrape()[1].decode())
    finally:
        theirs.stop()
    assert refused(Page(page)) == []
    beside = SideBySide(before, Told.read(page.decode()), after, ABOUT_ITSELF)
    assert len(beside.theirs()) > 800
    assert beside.missing() == set()
    assert beside.other_types() == {}
    assert beside.other_labels() == {}
    different, compared = beside.other_values()
    assert different == {}
    assert compared > 1000


def test_no_literal_of_a_statement_is_told(server, collector):
    server.execute(STATEMENTS)
    text = exposition(collector).decode()
    assert "INSERT INTO `orders`" in text
    assert "CREATE SYSTEM_USER `bob`" in text
    assert "hunter2" not in text
    assert "4711" not in text


def test_statements_and_tables_are_bounded(server):
    server.execute(STATEMENTS)
    with contextlib.closing(collector_of(server, statements=2, tables=1)) as collector:
        page = collected(collector)
    assert len(page.labels("mysql_perf_schema_events_statements_total")) == 2
    assert len(page.labels("mysql_perf_schema_table_io_waits_total")) == 4  # operations


def test_the_root_of_a_chain_of_row_locks_is_named(server, collector):
    root, middle, last = (server.connect(database="shop", autocommit=False) for _ in range(3))
    run(root, "UPDATE orders SET n = n WHERE id = 1 AND 'secret' = \"secret\"")
    run(middle, "UPDATE orders SET n = n WHERE id = 2")
    waiting = [
        threading.Thread(target=run, args=[session, f"UPDATE orders SET n = 0 WHERE id = {id_}"])
        for session, id_ in ((middle, 1), (last, 2))
    ]
    for thread in waiting:
        thread.start()
    try:
        page = wait_until(lambda: both_blocked(collector), what="both blocked")
        (labels,) = page.labels("mysql_root_blocker_transactions")
        assert labels["user"] == "root"
        assert labels["schema"] == "shop"
        assert labels["thread"] == str(root.thread_id())
        assert page.value("mysql_root_blocker_transactions") == 2
    finally:
        for session, thread in ((root, waiting[0]), (middle, waiting[1])):
            session.rollback()
            thread.join(20)
        for session in (root, middle, last):
            session.close()
    # The server shows who waits for whom as of up to a tenth of a second ago.
    wait_until(
        lambda: collected(collector).value("mysql_blocked_transactions") == 0, what="none blocked"
    )


def run(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def both_blocked(collector):
    page = collected(collector)
    return page if page.value("mysql_blocked_transactions") == 2 else None


def our_connections(server):
    query = "SELECT count(*) FROM information_schema.processlist WHERE user = 'watchkeeper'"
    return server.execute(query)[0][0]


def test_however_often_it_is_asked_it_sees_one_connection_of_ours(server, collector):
    for _ in range(5):
        collected(collector)
    assert our_connections(server) == 1
    collector.close()
    wait_until(lambda: our_connections(server) == 0, what="the connection closing")


def test_it_can_write_nothing_even_as_root(server):
    with contextlib.closing(collector_of(server, user="root", password="")) as collector:
        collected(collector)
        with pytest.raises(Exception, match="READ ONLY transaction"):
            collector._interview._session.ask("INSERT INTO shop.orders (n) VALUES (1)")


def test_a_statement_that_takes_too_long_is_given_up_on_by_the_server(server, collector):
    collected(collector)
    with pytest.raises(Exception, match="max_statement_time") as caught:
        collector._interview._session.ask("SELECT sleep(5) FROM information_schema.processlist")
    assert caught.value.reason is Reason.TIMEOUT
    assert collected(collector).value("mysql_up") == 1


def test_a_question_that_is_refused_costs_its_own_series_only(server):
    server.execute("CREATE USER poor@'127.0.0.1' IDENTIFIED BY 'pw'")
    with contextlib.closing(collector_of(server, user="poor", password="pw")) as collector:
        page = collected(collector)
    assert page.value("mysql_up") == 1
    assert "collect.perf_schema.eventsstatements" in refused(page)
    assert page.value("mysql_global_status_threads_connected") > 0
    server.execute("DROP USER poor@'127.0.0.1'")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "wrong"}, Reason.AUTHENTICATION),
        ({"port": 1}, Reason.CONNECTION),
        ({"host": "/nowhere/mysql.sock"}, Reason.CONNECTION),
    ],
)
def test_why_it_is_down_is_told(server, changes, reason):
    with pytest.raises(CollectionFailed) as caught:
        collected(collector_of(server, **changes))
    assert caught.value.reason is reason
    (down,) = caught.value.families
    assert (str(down.metric), down.samples[0][1]) == ("mysql_up", 0)


def test_a_server_that_accepts_and_says_nothing_is_given_up_on(server, silent_port):
    with pytest.raises(CollectionFailed) as caught:
        collected(collector_of(server, port=silent_port))
    assert caught.value.reason is Reason.TIMEOUT


def test_a_server_with_no_connection_left_is_down_and_comes_back_by_itself(server, collector):
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(pymysql.err.OperationalError):
            while True:  # as others than root, for whom one more is kept
                stack.enter_context(server.connect(user="watchkeeper", password=PASSWORD))
        with pytest.raises(CollectionFailed, match="Too many connections"):
            collected(collector)
    page = wait_until(lambda: still_up(collector), what="the connection coming back")
    assert page.value("mysql_connection_saturation_ratio") < 1


def still_up(collector):
    try:
        return collected(collector)
    except CollectionFailed:
        return None


def test_a_killed_server_is_down_at_once_and_watched_again_when_it_is_back(server, collector):
    collected(collector)
    server.stop(signal.SIGKILL)
    with pytest.raises(CollectionFailed) as caught:
        collected(collector)
    assert caught.value.reason is Reason.CONNECTION
    server.start()
    assert collected(collector).value("mysql_up") == 1


def test_a_socket_is_as_good_as_a_port(server):
    changes = {"host": server.socket, "user": "root", "password": ""}
    with contextlib.closing(collector_of(server, **changes)) as collector:
        assert collected(collector).value("mysql_up") == 1


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("8.0.36", Release(80036, is_mariadb=False)),
        ("5.7.44-log", Release(50744, is_mariadb=False)),
        ("8.4.0-1.el9", Release(80400, is_mariadb=False)),
        ("10.11.6-MariaDB-0+deb12u1", Release(101106, is_mariadb=True)),
        ("5.5.5-10.3.39-MariaDB-log", Release(100339, is_mariadb=True)),
    ],
)
def test_a_server_is_known_by_what_it_says_of_its_version(text, release):
    assert parse_version(text) == release


@pytest.mark.parametrize(
    ("release", "said"),
    [
        (Release(50744, is_mariadb=False), ["SHOW SLAVE STATUS", "innodb_lock_waits"]),
        (Release(80036, is_mariadb=False), ["SHOW SLAVE STATUS", "data_lock_waits"]),
        (Release(80400, is_mariadb=False), ["SHOW REPLICA STATUS", "data_lock_waits"]),
        (Release(101106, is_mariadb=True), ["SHOW ALL SLAVES STATUS", "innodb_lock_waits"]),
    ],
)
def test_every_server_is_asked_in_its_own_words(release, said):
    words = release.words()
    questions = (*QUESTIONS, *SLOW_QUESTIONS, statements(5), table_waits(5))
    asked = " ".join(question.statement(words) for question in questions)
    assert all(word in asked for word in said)


def test_the_newer_names_of_a_replicas_columns_are_told_under_the_older_ones():
    row = {
        "Replica_IO_Running": "Yes",
        "Seconds_Behind_Source": 3,
        "Source_Host": "db1",
        "Source_UUID": "u",
        "Channel_Name": "c",
    }
    told = {family.metric.name: family.samples for family in REPLICA.families([row], "s")}
    labels = ("s", "db1", "u", "c", "")
    assert told["mysql_slave_status_slave_io_running"] == [(labels, 1.0)]
    assert told["mysql_slave_status_seconds_behind_master"] == [(labels, 3.0)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ON", 1), ("No", 0), ("Connecting", 0), ("non-Primary", 0), ("1.5e3", 1500), ("-1", -1),
        ("Jan  2 03:04:05 2030 GMT", 1893553445), ("binlog.000001", None), ("127.0.0.1", None),
        ("nan", None), ("1_000", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_texts_become_numbers_as_the_exporter_takes_them(text, value):
    assert as_number(text) == value
