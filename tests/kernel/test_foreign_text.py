"""Other programs' words can be kept, whatever is in them."""

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.foreign_text import storable

anything = st.text(st.characters(codec=None, exclude_categories=[]))


@given(anything)
def test_whatever_is_said_can_be_kept_and_reads_as_before_where_it_could(text):
    kept = storable(text)
    assert "\x00" not in kept
    assert len(kept) == len(text)
    with sqlite3.connect(":memory:") as database:
        assert database.execute("SELECT ?", (kept,)).fetchone() == (kept,)
    assert all(now == then for now, then in zip(kept, text, strict=True) if now not in "\ufffd?")
