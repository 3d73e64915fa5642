"""Many rows at once are written as one by one they would be, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.alerting import postgres
from watchkeeper import bulk
from watchkeeper.errors import StorageError
from watchkeeper.storage import open_database, reading, sqlite_url, writing

metadata = sa.MetaData()
parts = sa.Table(
    "parts",
    metadata,
    sa.Column("shelf", sa.String(8), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("weight", sa.Float(53)),
    sa.Column("is_new", sa.Boolean, nullable=False),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default="none"),
)
shelves = sa.Table(
    "shelves",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("note", sa.Text, nullable=False),
)
notes = sa.Table("notes", metadata, sa.Column("text", sa.Text, primary_key=True))
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("part", sa.Text, nullable=False),
)
STRANGE = 'O\'Brien "%s" :rows {} \\ \u00e9\U0001f600\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with postgres.running(tmp_path_factory.mktemp("postgres")) as port:
        yield port


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def engine(request, tmp_path):
    if request.param == "sqlite":
        engine = open_database(sqlite_url(tmp_path / "state.db"))
    else:
        engine = open_database(postgres.new_database(request.getfixturevalue("server")))
    with writing(engine) as connection:
        metadata.create_all(connection)
    yield engine
    engine.dispose()


def part(shelf="a", name="bolt", **changes):
    values = {"by": "ana", "weight": 0.1, "is_new": True, "labels": {"k": ["v", 1, None]}}
    return {"shelf": shelf, "name": name, **values, **changes}


def stored(engine):
    with reading(engine) as connection:
        rows = connection.execute(sa.select(parts).order_by(parts.c.shelf, parts.c.name))
        return [row._asdict() for row in rows]


def test_every_kind_of_value_comes_back_as_it_went_in(engine):
    rows = [
        part(name="bolt", labels={}, weight=1 / 3),
        part(name="nut", by=STRANGE, weight=None, is_new=False, labels={STRANGE: STRANGE}),
    ]
    with writing(engine) as connection:
        bulk.insert_all(connection, parts, rows)
    assert stored(engine) == [{**row, "note": "none"} for row in rows]


def test_a_row_of_the_same_key_is_refused_unless_it_may_replace(engine):
    with writing(engine) as connection:
        bulk.insert_all(connection, parts, [part(), part(name="nut")])
        bulk.insert_all(connection, parts, [part(by="ben"), part(name="pin")], replaces=True)
        with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
            bulk.insert_all(connection, parts, [part(by="eve")])
    assert [(row["name"], row["by"]) for row in stored(engine)] == [
        ("bolt", "ben"), ("nut", "ana"), ("pin", "ana"),
    ]  # fmt: skip


def test_each_row_is_changed_to_its_own_values_and_no_other_is(engine):
    with writing(engine) as connection:
        bulk.insert_all(
            connection, parts, [part(), part(name="nut"), part("b", "bolt"), part("b", "nut")]
        )
        changes = [
            {"shelf": "a", "name": "bolt", "by": "ben", "labels": {"n": 1}},
            {"shelf": "b", "name": "nut", "by": STRANGE, "labels": {}},
            {"shelf": "c", "name": "nut", "by": "nobody", "labels": {}},
        ]
        bulk.update_all(connection, parts, changes, by=["shelf", "name"])
    found = {(row["shelf"], row["name"]): (row["by"], row["labels"]) for row in stored(engine)}
    untouched = ("ana", {"k": ["v", 1, None]})
    assert found == {
        ("a", "bolt"): ("ben", {"n": 1}), ("a", "nut"): untouched,
        ("b", "bolt"): untouched, ("b", "nut"): (STRANGE, {}),
    }  # fmt: skip


def test_among_any_number_of_values_the_right_rows_are_found(engine):
    names = [f"part{number}" for number in range(5000)]
    with writing(engine) as connection:
        bulk.insert_all(connection, parts, [part(name=name) for name in [*names, STRANGE]])
        query = sa.select(parts.c.name).where(parts.c.is_new)
        wanted = {*names[100:], STRANGE, "missing"}
        found = connection.execute(query.where(bulk.among(parts.c.name, wanted))).scalars().all()
        none = connection.execute(query.where(bulk.among(parts.c.name, []))).scalars().all()
    assert set(found) == wanted - {"missing"}
    assert none == []


def test_a_list_of_values_is_looked_up_in_the_index(engine):
    with writing(engine) as connection:
        bulk.insert_all(connection, parts, [part(name=f"part{n}") for n in range(5000)])
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE parts")
        query = sa.select(parts.c.by).where(
            parts.c.shelf == "a", bulk.among(parts.c.name, ["part7", "part8"])
        )
        statement = query.compile(connection, compile_kwargs={"literal_binds": True})
        word = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        plan = "\n".join(str(row) for row in connection.exec_driver_sql(f"{word} {statement}"))
    assert "parts_pkey" in plan or "sqlite_autoindex_parts_1 (shelf=? AND name=?)" in plan


def test_changes_of_several_tables_are_made_together_or_not_at_all(engine):
    statements = []
    with writing(engine) as connection:
        bulk.insert_all(connection, parts, [part(), part(name="nut")])
        bulk.insert_all(connection, shelves, [{"name": "a", "note": "old"}])
    sa.event.listen(engine, "after_cursor_execute", lambda *call: statements.append(call[2]))
    changes = [
        bulk.Insert(shelves, [{"name": n, "note": STRANGE} for n in "ab"], replaces=True),
        bulk.Update(parts, [{"shelf": "a", "name": "nut", "by": "ben"}], by=("shelf", "name")),
        bulk.Insert(notes, []),
        bulk.Insert(orders, [{"seq": 1, "part": STRANGE}, {"seq": 2, "part": "nut"}]),
    ]
    with writing(engine) as connection:
        statements.clear()
        bulk.write(connection, changes)
        assert len(statements) == (1 if engine.dialect.name == "postgresql" else 3)
    with pytest.raises(StorageError), writing(engine) as connection:
        bulk.write(
            connection, [bulk.Update(parts, [part(by="eve")], by=("shelf", "name")), changes[-1]]
        )
    with reading(engine) as connection:
        found = [connection.execute(sa.select(table)).all() for table in (shelves, notes, orders)]
    assert [sorted(rows) for rows in found] == [
        [("a", STRANGE), ("b", STRANGE)], [], [(1, STRANGE), (2, "nut")],
    ]  # fmt: skip
    assert [(row["name"], row["by"]) for row in stored(engine)] == [("bolt", "ana"), ("nut", "ben")]


def test_nothing_to_write_asks_nothing(engine):
    with writing(engine) as connection:
        bulk.insert_all(connection, parts, [])
        bulk.update_all(connection, parts, [], by=["name"])
    assert stored(engine) == []
