from __future__ import annotations

import pytest
import sqlalchemy as sa

from alerting.store import Store
from watchkeeper.errors import StorageError
from watchkeeper.storage import writing


def test_a_database_of_an_earlier_release_is_brought_up_to_date(tmp_path):
    store = Store(tmp_path)
    with writing(store.engine) as connection:
        connection.exec_driver_sql("DROP INDEX muted_alerts")
        connection.exec_driver_sql("ALTER TABLE alerts DROP COLUMN is_muted")
        connection.exec_driver_sql("DROP TABLE silences")
        connection.exec_driver_sql("UPDATE schema_version SET version = 1")
    store.close()
    store = Store(tmp_path)
    found = sa.inspect(store.engine)
    assert "is_muted" in {column["name"] for column in found.get_columns("alerts")}
    assert "muted_alerts" in {index["name"] for index in found.get_indexes("alerts")}
    assert found.has_table("silences")
    store.close()


def test_one_process_at_a_time_holds_the_database(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(StorageError, match="another alerting process"):
        Store(tmp_path)
    store.close()
    Store(tmp_path).close()


def test_a_directory_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be used"):
        Store(tmp_path / "file" / "below")
