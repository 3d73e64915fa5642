"""What callers bring at the same time is committed together, and each hears of its own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import OperationalError

from alerting import group_commit
from alerting.group_commit import GroupCommit
from tests.waiting import wait_until
from watchkeeper.errors import StorageError


class Book:
    """Keeps what is committed; the first commit lasts until it is let go."""

    def __init__(self):
        self.commits = []
        self.refused = set()
        self.is_down = False
        self.begun = threading.Event()
        self.let_go = threading.Event()

    def commit(self, items):
        self.begun.set()
        assert self.let_go.wait(60)
        if self.is_down:
            raise StorageError("locked") from OperationalError("", {}, Exception("locked"))
        if self.refused & set(items):
            raise ValueError("unheard of")
        self.commits.append(list(items))


@pytest.fixture
def book():
    return Book()


def bring(book, *parts):
    """Have the first part committed while all others arrive; return what each caller got."""
    together = GroupCommit(book.commit)
    with ThreadPoolExecutor(len(parts)) as pool:
        first = pool.submit(together.add, parts[0])
        assert book.begun.wait(60)
        others = []
        for part in parts[1:]:  # one after the other, so that their order is known
            others.append(pool.submit(together.add, part))
            expected = len(others)
            wait_until(
                lambda: len(together._waiting) == expected,  # noqa: B023
                timeout_seconds=60,
                what="the caller waits",
            )
        book.let_go.set()
        return [future.exception(60) for future in [first, *others]]


def test_who_comes_during_a_commit_goes_into_the_next_together(book):
    assert bring(book, ["a"], ["b", "c"], [], ["d"]) == [None] * 4
    assert book.commits == [["a"], ["b", "c", "d"]]


def test_a_caller_alone_waits_for_nobody(book):
    book.let_go.set()
    together = GroupCommit(book.commit)
    together.add(["a"])
    together.add(["b"])
    assert book.commits == [["a"], ["b"]]


def test_what_one_brought_and_cannot_be_written_costs_nobody_else_theirs(book):
    book.refused = {"bad"}
    found = bring(book, ["a"], ["b"], ["bad"], ["c"])
    assert [type(error) for error in found] == [type(None), type(None), ValueError, type(None)]
    assert book.commits == [["a"], ["b"], ["c"]]


def test_nobody_is_told_that_something_is_kept_while_the_database_is_down(book):
    book.is_down = True
    found = bring(book, ["a"], ["b"], ["c"])
    assert [type(error) for error in found] == [StorageError] * 3
    assert book.commits == []
    book.is_down = False


def test_more_than_fits_into_one_transaction_is_committed_in_several(book, monkeypatch):
    monkeypatch.setattr(group_commit, "MAX_TOGETHER", 3)
    assert bring(book, ["a"], ["b", "c"], ["d"], ["e"], ["f"] * 5, ["g"]) == [None] * 6
    assert book.commits == [["a"], ["b", "c", "d"], ["e"], ["f"] * 5, ["g"]]
