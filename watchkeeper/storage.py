"""The one way to a database: SQLite in WAL mode by default, PostgreSQL when asked for.

A transaction takes its write lock when it begins (``BEGIN IMMEDIATE``), so a guard that reads and
then writes can never be overtaken between the two, and it is on disk when ``commit`` returns
(``synchronous=FULL``): what we have acknowledged survives SIGKILL and power loss. On PostgreSQL an
advisory lock stands for that write lock, so that replicas take turns as threads do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from watchkeeper.errors import StorageError

BUSY_TIMEOUT_SECONDS = 5.0
"""How long a writer waits for another before it fails; our own transactions take milliseconds."""

WRITE_LOCK = 0x77617463686B6565
"""Key of the advisory lock that writers of one PostgreSQL database take; spells "watchkee"."""

# A replica that is stopped or cut off in the middle of a transaction must not keep the others from
# writing: the server ends its session, and its transaction is as if it had never been.
_POSTGRES_SESSION = {
    "statement_timeout": "20s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "3s",
}
_POSTGRES_CONNECTING = {
    "connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}  # fmt: skip

Migration = Callable[[Connection], None]


def open_database(url: str) -> Engine:
    """Return an engine for ``url``; the directory of a SQLite file is made when missing.

    Raises:
        StorageError: the URL cannot be used.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise StorageError(f"not a database URL: {error}") from None
    if parsed.get_backend_name() == "postgresql":
        return _open_postgres(parsed)
    if parsed.get_backend_name() != "sqlite":
        raise StorageError(f"expected a sqlite or postgresql URL, got {parsed.drivername}")
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _open_postgres(url: sa.URL) -> Engine:
    options = " ".join(f"-c {name}={value}" for name, value in _POSTGRES_SESSION.items())
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        connect_args={**_POSTGRES_CONNECTING, "options": options},
    )


def sqlite_url(path: Path) -> str:
    """Return the database URL of a SQLite file."""
    return f"sqlite:///{path}"


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own implicit BEGIN is deferred; we begin ourselves, see _begin_immediate.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that holds the write lock from its start; commits on leaving.

    Raises:
        StorageError: nothing of the transaction was kept.
    """
    deeds: list[Callable[[], None]] = []
    try:
        with _turn(engine), engine.begin() as connection:
            connection.info[_DEEDS] = deeds
            try:
                if engine.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITE_LOCK)))
                yield connection
            finally:
                connection.info.pop(_DEEDS, None)  # it outlives us in the pool
    except SQLAlchemyError as error:
        raise StorageError(f"database write failed: {_short(error)}") from error
    for deed in deeds:
        deed()


_DEEDS = "after_commit"


def after_commit(connection: Connection, deed: Callable[[], None]) -> None:
    """Do something outside the database once the transaction is on disk, and never if it is not.

    Args:
        connection: of ``writing``.
        deed: such as counting what was written; called in the order given, without the write lock.
            It must not raise: what is on disk would look as if it were not.

    Raises:
        KeyError: the connection is not one of ``writing``.
    """
    connection.info[_DEEDS].append(deed)


def is_of_the_database(error: Exception) -> bool:
    """Return whether it lies with the database and not with what was to be written.

    Then nothing else could be written either, and trying again later may do.
    """
    causes = (OperationalError, InterfaceError, PoolTimeoutError)
    return isinstance(error, StorageError) and isinstance(error.__cause__, causes)


_turns: WeakKeyDictionary[Engine, threading.RLock] = WeakKeyDictionary()
_turns_lock = threading.Lock()


def _turn(engine: Engine) -> AbstractContextManager[object]:
    # SQLite's waiting is polling: under load some writers of a process would find the database busy
    # again and again. Here they are woken as soon as it is free. Reentrant, so that a write inside
    # a write still fails as SQLite has it fail, instead of waiting for itself for ever. On
    # PostgreSQL it keeps a process to one place in the queue: one that is stopped with several
    # there would get the lock several times, and the others wait for it to lose it each time.
    with _turns_lock:
        return _turns.setdefault(engine, threading.RLock())


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a consistent snapshot that never blocks a writer.

    Raises:
        StorageError: the database cannot be read.
    """
    try:
        with engine.connect().execution_options(**_snapshot(engine)) as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StorageError(f"database read failed: {_short(error)}") from error


def _snapshot(engine: Engine) -> dict[str, Any]:
    if engine.dialect.name == "postgresql":
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return {"read_only": True}


def migrate(engine: Engine, migrations: Sequence[Migration]) -> int:
    """Bring the schema up to date and return its version, the number of migrations applied.

    Migrations are only ever appended. Each runs once, in the transaction that records it.

    Raises:
        StorageError: the database was written by a newer release, or a migration failed.
    """
    with writing(engine) as connection:
        connection.execute(
            sa.text("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
        )
        found = connection.execute(sa.text("SELECT max(version) FROM schema_version")).scalar()
        version = int(found or 0)
        if version > len(migrations):
            raise StorageError(
                f"the database has schema version {version}, this release knows "
                f"{len(migrations)}: it was written by a newer release"
            )
        for number, migration in enumerate(migrations[version:], start=version + 1):
            migration(connection)
            connection.execute(
                sa.text("INSERT INTO schema_version (version) VALUES (:version)"),
                {"version": number},
            )
    return len(migrations)


def _short(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
