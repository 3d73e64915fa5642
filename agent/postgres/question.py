"""The seam of the PostgreSQL collector: one question, and what its rows mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agent.family import Family
from agent.postgres.session import Row


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask, and how the answer becomes families.

    Attributes:
        name: the ``collector`` label of ``pg_scrape_collector_success``, postgres_exporter's where
            it has one.
        sql: the statement for a server of the given server_version_num.
        families: of the rows and the ``server`` label.
        is_slow: asked at the slow interval only, since it costs the server more.
    """

    name: str
    sql: Callable[[int], str]
    families: Callable[[Sequence[Row], str], Iterator[Family]]
    is_slow: bool = False
