from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.lock_chain import Backend, chains, choose
from watchkeeper.errors import Refused

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def backend(pid, *blocked_by, waited=60, **fields):
    values = {
        "started_at": NOW - timedelta(hours=1),
        "user": "app",
        "database": "orders",
        "kind": "client backend",
        "state": "idle in transaction",
        "application": "shop",
        "is_privileged": False,
        "waits_since": NOW - timedelta(seconds=waited) if blocked_by else None,
        **fields,
    }
    return Backend(pid=pid, blocked_by=blocked_by, **values)


def chosen(*backends, minimum_wait_seconds=30):
    return choose(
        backends, now=NOW, users=("app",), databases=("orders",),
        minimum_wait_seconds=minimum_wait_seconds,
    )  # fmt: skip


def test_the_root_of_a_chain_is_who_waits_for_nobody():
    chain = chosen(backend(1), backend(2, 1), backend(3, 2))
    assert chain.root.pid == 1
    assert [one.pid for one in chain.waiting] == [2, 3]


def test_who_holds_up_most_comes_first():
    chain = chosen(backend(1), backend(2, 1), backend(8), backend(9, 8), backend(10, 8))
    assert chain.root.pid == 8


def test_nobody_is_ended_when_nobody_waits():
    assert chosen(backend(1), backend(2)) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"user": "postgres", "is_privileged": True},
        {"is_privileged": True},
        {"kind": "walsender"},
        {"kind": "autovacuum worker", "user": ""},
        {"user": "billing"},
        {"database": "payroll"},
    ],
)
def test_a_protected_session_is_not_ended_and_no_lesser_one_in_its_place(fields):
    with pytest.raises(Refused, match="session 1 of"):
        chosen(backend(1, **fields), backend(2, 1), backend(3, 1), backend(8), backend(9, 8))


def test_a_wait_that_is_short_ends_nobody():
    with pytest.raises(Refused, match="waited for since 29 s; it may be ended after 30 s"):
        chosen(backend(1), backend(2, 1, waited=29))


def test_a_prepared_transaction_is_no_session_that_could_be_ended():
    assert chosen(backend(2, 0)) is None


GRAPHS = st.dictionaries(
    st.integers(1, 8), st.lists(st.integers(0, 8), max_size=3), min_size=1, max_size=8
)


@given(GRAPHS)
def test_a_root_waits_for_nobody_and_is_waited_for_also_among_circles(graph):
    for chain in chains([backend(pid, *blocked_by) for pid, blocked_by in graph.items()]):
        assert graph[chain.root.pid] == []
        assert chain.waiting
        assert chain.root not in chain.waiting
