"""Keys that are looked at one by one, because somebody named them: a queue, a counter."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from agent.family import Family, LabelValues, Sample
from agent.resp import RedisConnection
from agent.resp_answers import CommandRefused
from watchkeeper.catalogue import redis

NONE, TEXT = b"none", b"string"
"""What TYPE answers for a key that is not there, as an empty list is not, and for text."""

SIZE_OF = {
    TEXT: "STRLEN", b"list": "LLEN", b"set": "SCARD", b"zset": "ZCARD", b"hash": "HLEN",
    b"stream": "XLEN",
}  # fmt: skip
"""Command that tells the size, by what TYPE answers; each takes the same short time at any size."""

NUMBER_BYTES = 64
"""No number is written longer; of a longer text no more than this is fetched."""


class Key(NamedTuple):
    """One key, in a numbered database."""

    db: int
    key: str


def families_of(server: str, keys: Sequence[Key], connection: RedisConnection) -> Iterator[Family]:
    """Yield size of each key, and its number where it holds one; a key that is gone has size 0.

    What a user may not look at is left out.
    """
    sizes: list[Sample] = []
    values: list[Sample] = []
    for db, group in groupby(sorted(keys), key=lambda key: key.db):
        names = [key.key for key in group]
        for name, size, text in _looked_at(connection, db, names):
            labels: LabelValues = (server, f"db{db}", name)
            sizes.append((labels, size))
            with contextlib.suppress(ValueError):
                values.append((labels, float(text)))
    yield Family(redis.KEY_SIZE, sizes)
    yield Family(redis.KEY_VALUE, values)


def _looked_at(
    connection: RedisConnection, db: int, names: Sequence[str]
) -> Iterator[tuple[str, int, bytes]]:
    """Yield the keys that may be looked at with their size, and the text of those that have one."""
    selected, *kinds = connection.call_many(("SELECT", str(db)), *(("TYPE", one) for one in names))
    if isinstance(selected, CommandRefused):
        return
    known = list(zip(names, kinds, strict=True))
    yield from ((name, 0, b"") for name, kind in known if kind == NONE)
    asked = [
        (name, SIZE_OF[kind]) for name, kind in known if isinstance(kind, bytes) and kind in SIZE_OF
    ]
    sizes = connection.call_many(*((command, name) for name, command in asked))
    texts = [name for name, kind in known if kind == TEXT]
    pieces = connection.call_many(
        *(("GETRANGE", name, "0", str(NUMBER_BYTES - 1)) for name in texts)
    )
    text_of = dict(zip(texts, pieces, strict=True))
    for (name, _), size in zip(asked, sizes, strict=True):
        text = text_of.get(name)
        if isinstance(size, int):
            yield name, size, text if isinstance(text, bytes) and size <= NUMBER_BYTES else b""
