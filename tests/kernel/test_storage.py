"""Transactions hold their lock from the start and survive; schemas only move forward."""

import threading

import pytest
import sqlalchemy as sa

from watchkeeper.errors import StorageError
from watchkeeper.storage import (
    after_commit,
    migrate,
    open_database,
    reading,
    sqlite_url,
    writing,
)


def create_counter(connection):
    connection.execute(sa.text("CREATE TABLE counter (value INTEGER NOT NULL)"))
    connection.execute(sa.text("INSERT INTO counter VALUES (0)"))


def add_column(connection):
    connection.execute(sa.text("ALTER TABLE counter ADD COLUMN note TEXT"))


def counter_value(engine):
    with reading(engine) as connection:
        return connection.execute(sa.text("SELECT value FROM counter")).scalar_one()


@pytest.fixture
def engine(tmp_path):
    engine = open_database(sqlite_url(tmp_path / "deep" / "state.db"))
    migrate(engine, [create_counter])
    yield engine
    engine.dispose()


def test_each_migration_runs_once(engine):
    assert migrate(engine, [create_counter, add_column]) == 2
    assert migrate(engine, [create_counter, add_column]) == 2
    with reading(engine) as connection:
        assert connection.execute(sa.text("SELECT note FROM counter")).scalar_one() is None


def test_a_failed_migration_leaves_no_trace(engine):
    def broken(connection):
        connection.execute(sa.text("CREATE TABLE half (value INTEGER)"))
        connection.execute(sa.text("not sql"))

    with pytest.raises(StorageError):
        migrate(engine, [create_counter, broken])
    with reading(engine) as connection:
        tables = sa.inspect(connection).get_table_names()
    assert "half" not in tables


def test_a_database_of_a_newer_release_is_refused(engine):
    migrate(engine, [create_counter, add_column])
    with pytest.raises(StorageError, match="newer release"):
        migrate(engine, [create_counter])


def test_read_then_write_is_never_overtaken(engine):
    def add_one():
        with writing(engine) as connection:
            value = connection.execute(sa.text("SELECT value FROM counter")).scalar_one()
            connection.execute(sa.text("UPDATE counter SET value = :v"), {"v": value + 1})

    threads = [threading.Thread(target=add_one) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter_value(engine) == 16


def test_an_error_inside_a_transaction_keeps_nothing(engine):
    def fail_midway():
        with writing(engine) as connection:
            connection.execute(sa.text("UPDATE counter SET value = 5"))
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        fail_midway()
    assert counter_value(engine) == 0


def test_a_reader_is_not_stopped_by_a_writer(engine):
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE counter SET value = 7"))
        assert counter_value(engine) == 0
    assert counter_value(engine) == 7


def test_what_is_to_be_done_after_a_commit_is_done_then_in_order_and_can_write(engine):
    seen = []

    def write_again():
        with writing(engine) as connection:
            connection.execute(sa.text("UPDATE counter SET value = value + 1"))

    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE counter SET value = 3"))
        after_commit(connection, lambda: seen.append(counter_value(engine)))
        after_commit(connection, write_again)
        after_commit(connection, lambda: seen.append(counter_value(engine)))
        assert seen == []
    assert seen == [3, 4]


def test_after_a_transaction_that_failed_nothing_is_done(engine):
    seen = []

    def fail_midway():
        with writing(engine) as connection:
            after_commit(connection, lambda: seen.append("failed"))
            connection.execute(sa.text("not sql"))

    with pytest.raises(StorageError):
        fail_midway()
    with writing(engine) as connection:
        after_commit(connection, lambda: seen.append("kept"))
    assert seen == ["kept"]


def test_what_only_reads_has_nothing_to_be_done_after_it(engine):
    with writing(engine):
        pass
    with reading(engine) as connection, pytest.raises(KeyError):
        after_commit(connection, lambda: None)


def test_a_url_that_is_none_is_refused():
    with pytest.raises(StorageError, match="not a database URL"):
        open_database("no url at all")
