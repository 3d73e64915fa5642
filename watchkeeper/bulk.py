"""Many rows in one statement, and many values in one parameter.

A statement a row costs PostgreSQL a message each, and a parameter a value makes every statement a
new text to compile and to plan. Here the rows travel as one JSON parameter, and the statement stays
the same however many there are. SQLite runs in our process: there, the driver's own loop over the
rows is the fastest, and only the lists of values are packed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
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


def insert_all(
    connection: Connection, table: sa.Table, rows: Sequence[Row], *, replaces: bool = False
) -> None:
    """Insert rows, which all have the same columns.

    Args:
        connection: inside the caller's transaction.
        table: where to.
        rows: values by the name of the column.
        replaces: a row with the primary key of one that is there takes its place.
    """
    if not rows:
        return
    columns = tuple(rows[0])
    if connection.dialect.name == "postgresql":
        statement = _insert_text(table, columns, replaces=replaces)
        connection.execute(statement, {"rows": _packed(table, columns, rows, connection.dialect)})
    elif replaces:
        insert = sqlite.insert(table)
        key = table.primary_key.columns.keys()
        changed = {name: insert.excluded[name] for name in columns if name not in key}
        connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changed), rows)
    else:
        connection.execute(sa.insert(table), rows)


def update_all(
    connection: Connection, table: sa.Table, rows: Sequence[Row], *, by: Sequence[str]
) -> None:
    """Change rows, each found by its own values of some columns.

    Args:
        connection: inside the caller's transaction.
        table: where.
        rows: values by the name of the column, the same columns in each; no two for one row.
        by: the columns that say which row is meant; the others are changed.
    """
    if not rows:
        return
    columns = tuple(rows[0])
    if connection.dialect.name == "postgresql":
        text = _update_text(table, columns, tuple(by))
        connection.execute(text, {"rows": _packed(table, columns, rows, connection.dialect)})
        return
    # A parameter may not have the name of a column that the statement sets.
    found = sa.and_(*(table.c[name] == sa.bindparam(f"by_{name}") for name in by))
    statement = sa.update(table).where(found)
    statement = statement.values({n: sa.bindparam(n) for n in columns if n not in by})
    parameters = [{f"by_{n}" if n in by else n: row[n] for n in columns} for row in rows]
    connection.execute(statement, parameters)


@lru_cache(STATEMENTS_KEPT)
def _insert_text(table: sa.Table, columns: tuple[str, ...], *, replaces: bool) -> sa.TextClause:
    quoted = ", ".join(map(_quote, columns))
    text = f"INSERT INTO {table.name} ({quoted}) SELECT {quoted} FROM "  # noqa: S608  # our names
    text += _recordset(table, columns)
    if replaces:
        key = table.primary_key.columns.keys()
        changed = [f"{_quote(n)} = excluded.{_quote(n)}" for n in columns if n not in key]
        text += f" ON CONFLICT ({', '.join(map(_quote, key))}) DO UPDATE SET {', '.join(changed)}"
    return sa.text(text)


@lru_cache(STATEMENTS_KEPT)
def _update_text(table: sa.Table, columns: tuple[str, ...], by: tuple[str, ...]) -> sa.TextClause:
    changed = ", ".join(f"{_quote(n)} = given.{_quote(n)}" for n in columns if n not in by)
    found = " AND ".join(f"{table.name}.{_quote(n)} = given.{_quote(n)}" for n in by)
    given = _recordset(table, columns)
    return sa.text(f"UPDATE {table.name} SET {changed} FROM {given} WHERE {found}")  # noqa: S608


def _recordset(table: sa.Table, columns: Sequence[str]) -> str:
    typed = [f"{_quote(name)} {table.c[name].type.compile(_POSTGRES)}" for name in columns]
    return f"json_to_recordset(CAST(:rows AS json)) AS given ({', '.join(typed)})"


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
