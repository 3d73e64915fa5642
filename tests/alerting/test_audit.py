from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting import audit, tables
from alerting.person import Person, Proof
from alerting.store import Store
from tests.alerting.desk import START
from watchkeeper.errors import StorageError
from watchkeeper.storage import migrate, open_database, reading, writing


def fill(engine: sa.Engine, entries: int = 5) -> None:
    with writing(engine) as connection:
        for number in range(entries):
            audit.append(
                connection, actor="ana", event="paused", subject=f"s{number}", now=START,
                detail={"number": number},
            )  # fmt: skip


@pytest.fixture
def engine(tmp_path):
    store = Store(tmp_path)
    yield store.engine
    store.close()


def test_an_untouched_chain_holds(engine):
    fill(engine)
    with reading(engine) as connection:
        assert audit.first_break(connection) is None
        newest = audit.newest(connection, 2)
    assert [entry["subject"] for entry in newest] == ["s4", "s3"]


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_change_the_audit(engine, change):
    fill(engine)
    with pytest.raises(StorageError, match="append-only"), writing(engine) as connection:
        connection.execute(sa.text(change))


def test_what_was_cut_off_the_end_is_missed_by_who_kept_its_hash():
    engine = without_protection()
    fill(engine)
    with writing(engine) as connection:
        [kept] = audit.newest(connection, 1)
        assert audit.contains(connection, kept["hash"])
        connection.execute(sa.text("DELETE FROM audit WHERE seq = 5"))
    with reading(engine) as connection:
        assert audit.first_break(connection) is None
        assert not audit.contains(connection, kept["hash"])
    engine.dispose()


FIRST = "1f5f77f601baaf9d8afa24b881b76baa2c8ae135d1f0d84dbe74e3d9572b01b8"
SECOND = "790114158f58d92a88ad28730f9caff5acf122f568aaed487edd161b27fbd508"
OLD = [(1, "drill 1", audit.GENESIS, FIRST), (2, "drill 2", FIRST, SECOND)]
"""As a release wrote them that did not record yet what speaks for a name."""


def test_a_chain_that_an_older_release_began_still_holds_and_goes_on(engine):
    with writing(engine) as connection:
        for seq, reason, before, digest in OLD:
            connection.execute(
                sa.insert(tables.audit).values(
                    seq=seq, at="2026-01-05T09:00:00.000Z", actor="ana", event="paused",
                    subject="everything", detail=f'{{"reason":"{reason}"}}',
                    previous_hash=before, hash=digest,
                )
            )  # fmt: skip
        audit.append(
            connection, actor=Person("ben", Proof.TOKEN), event="resumed", subject="everything",
            now=START,
        )  # fmt: skip
    with reading(engine) as connection:
        assert audit.first_break(connection) is None
        newest, *_, oldest = audit.newest(connection, 3)
    assert (newest["detail"], oldest["detail"]) == ({"name_is": "token"}, {"reason": "drill 1"})


def without_protection() -> sa.Engine:
    engine = open_database("sqlite:///:memory:")
    migrate(engine, tables.MIGRATIONS)
    with writing(engine) as connection:
        for trigger in ("audit_keeps_update", "audit_keeps_delete"):
            connection.execute(sa.text(f"DROP TRIGGER {trigger}"))
    return engine


def test_a_removed_entry_is_found():
    engine = without_protection()
    fill(engine)
    with writing(engine) as connection:
        connection.execute(sa.text("DELETE FROM audit WHERE seq = 3"))
    with reading(engine) as connection:
        assert audit.first_break(connection) == audit.Break(3, "this entry is missing")


@settings(max_examples=20, deadline=None)
@given(
    seq=st.integers(1, 5),
    column=st.sampled_from(["at", "actor", "event", "subject", "detail", "previous_hash", "hash"]),
)
def test_whatever_is_changed_is_found_where_it_was_changed(seq, column):
    engine = without_protection()
    fill(engine)
    with writing(engine) as connection:
        connection.execute(
            sa.update(tables.audit).where(tables.audit.c.seq == seq).values({column: "forged"})
        )
    with reading(engine) as connection:
        found = audit.first_break(connection)
    engine.dispose()
    assert found is not None
    assert found.seq == seq
