"""Many rows in one statement, many values in one parameter, and several tables in one message.

A statement a row costs PostgreSQL a message each, and a parameter a value makes every statement a
new text to compile and to plan. Here the rows travel as one JSON parameter, and the statement stays
the same however many there are. SQLite runs in our process: there, the driver's own loop over the
rows is the fastest, and only the lists of values are packed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

STATEMENTS_KEPT = 256
"""Texts of statements remembered; there is one for each table and set of columns in use."""

_POSTGRES: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

Row = Mapping[str, Any]


class _Among(FunctionElement[bool]):
    """A column and the JSON list of what it may be."""

    type = sa.Boolean()
    name = "among"
    inherit_cache = True

    def self_group(self, against: Any = None) -> _Among:  # noqa: ARG002
        """Return itself: a condition as it stands, where SQLite has functions compared with 1."""
        return self


def among(column: sa.ColumnElement[str], values: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a text column has one of ``values``, however many they are."""
    texts = json.dumps([str(value) for value in values])
    return _Among(column, sa.bindparam("among", texts, unique=True, type_=sa.Text()))


@compiles(_Among)
def _compile_among(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    if compiler.dialect.name == "postgresql":
        return f"({column} = ANY (ARRAY(SELECT json_array_elements_text(CAST({values} AS json)))))"
    return f"({column} IN (SELECT value FROM json_each({values})))"  # noqa: S608  # a parameter


@dataclass(frozen=True, slots=True)
class Insert:
    """Rows to add, which all have the same columns.

    Attributes:
        table: where to.
        rows: values by the name of the column.
        replaces: a row with the primary key of one that is there takes its place.
    """

    table: sa.Table
    rows: Sequence[Row]
    replaces: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, the same in every row."""
        return tuple(self.rows[0])

    def run_on_sqlite(self, connection: Connection) -> None:
        """Add the rows by the driver's own loop."""
        if not self.replaces:
            connection.execute(sa.insert(self.table), self.rows)
            return
        insert = sqlite.insert(self.table)
        key = self.table.primary_key.columns.keys()
        changed = {name: insert.excluded[name] for name in self.columns if name not in key}
        connection.execute(
            insert.on_conflict_do_update(index_elements=key, set_=changed), self.rows
        )

    def text(self, parameter: str) -> str:
        """Return PostgreSQL's statement, which takes the rows as the JSON of one parameter."""
        return _insert_text(self.table, self.columns, parameter, replaces=self.replaces)


@dataclass(frozen=True, slots=True)
class Update:
    """Rows to change, each found by its own values of some columns.

    Attributes:
        table: where.
        rows: values by the name of the column, the same columns in each; no two for one row.
        by: the columns that say which row is meant; the others are changed.
    """

    table: sa.Table
    rows: Sequence[Row]
    by: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, the same in every row."""
        return tuple(self.rows[0])

    def run_on_sqlite(self, connection: Connection) -> None:
        """Change the rows by the driver's own loop."""
        # A parameter may not have the name of a column that the statement sets.
        found = sa.and_(*(self.table.c[name] == sa.bindparam(f"by_{name}") for name in self.by))
        statement = sa.update(self.table).where(found)
        statement = statement.values({n: sa.bindparam(n) for n in self.columns if n not in self.by})
        parameters = [
            {f"by_{n}" if n in self.by else n: row[n] for n in self.columns} for row in self.rows
        ]
        connection.execute(statement, parameters)

    def text(self, parameter: str) -> str:
        """Return PostgreSQL's statement, which takes the rows as the JSON of one parameter."""
        return _update_text(self.table, self.columns, self.by, parameter)


Change = Insert | Update


def write(connection: Connection, changes: Sequence[Change]) -> None:
    """Make changes to different tables, none of which needs what another writes.

    Args:
        connection: inside the caller's transaction.
        changes: at most one a table; those without rows are left out.
    """
    changes = [change for change in changes if change.rows]
    if connection.dialect.name != "postgresql":
        for change in changes:
            change.run_on_sqlite(connection)
    elif changes:
        names = [f"rows{number}" for number in range(len(changes))]
        texts = [change.text(name) for change, name in zip(changes, names, strict=True)]
        rows = [
            _packed(change.table, change.columns, change.rows, connection.dialect)
            for change in changes
        ]
        connection.execute(_statement(tuple(texts)), dict(zip(names, rows, strict=True)))


def insert_all(
    connection: Connection, table: sa.Table, rows: Sequence[Row], *, replaces: bool = False
) -> None:
    """Insert rows; see ``Insert``."""
    write(connection, [Insert(table, rows, replaces)])


def update_all(
    connection: Connection, table: sa.Table, rows: Sequence[Row], *, by: Sequence[str]
) -> None:
    """Change rows; see ``Update``."""
    write(connection, [Update(table, rows, tuple(by))])


@lru_cache(STATEMENTS_KEPT)
def _statement(texts: tuple[str, ...]) -> sa.TextClause:
    """Return one statement of several: the last, with those before as its parts."""
    parts = [f"part{number} AS ({text})" for number, text in enumerate(texts[:-1])]
    return sa.text((f"WITH {', '.join(parts)} " if parts else "") + texts[-1])


@lru_cache(STATEMENTS_KEPT)
def _insert_text(
    table: sa.Table, columns: tuple[str, ...], parameter: str, *, replaces: bool
) -> str:
    quoted = ", ".join(map(_quote, columns))
    text = f"INSERT INTO {table.name} ({quoted}) SELECT {quoted} FROM "  # noqa: S608  # our names
    text += _recordset(table, columns, parameter)
    if replaces:
        key = table.primary_key.columns.keys()
        changed = [f"{_quote(n)} = excluded.{_quote(n)}" for n in columns if n not in key]
        text += f" ON CONFLICT ({', '.join(map(_quote, key))}) DO UPDATE SET {', '.join(changed)}"
    return text


@lru_cache(STATEMENTS_KEPT)
def _update_text(
    table: sa.Table, columns: tuple[str, ...], by: tuple[str, ...], parameter: str
) -> str:
    changed = ", ".join(f"{_quote(n)} = given.{_quote(n)}" for n in columns if n not in by)
    found = " AND ".join(f"{table.name}.{_quote(n)} = given.{_quote(n)}" for n in by)
    given = _recordset(table, columns, parameter)
    return f"UPDATE {table.name} SET {changed} FROM {given} WHERE {found}"  # noqa: S608  # ours


def _recordset(table: sa.Table, columns: Sequence[str], parameter: str) -> str:
    typed = [f"{_quote(name)} {table.c[name].type.compile(_POSTGRES)}" for name in columns]
    return f"json_to_recordset(CAST(:{parameter} AS json)) AS given ({', '.join(typed)})"


def _packed(table: sa.Table, columns: Sequence[str], rows: Sequence[Row], dialect: Dialect) -> str:
    """Return the rows as JSON, their values as the database stores them."""
    processors = [(name, _processor(table.c[name].type, dialect)) for name in columns]
    stored = [
        {name: process(row[name]) if process else row[name] for name, process in processors}
        for row in rows
    ]
    return json.dumps(stored)


def _processor(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    if isinstance(kind, sa.JSON):
        return None  # travels as what it is, inside the JSON of all rows
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _quote(name: str) -> str:
    return _POSTGRES.identifier_preparer.quote(name)
