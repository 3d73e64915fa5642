"""Which of Celery's queues a message belongs to, as a label that never grows without bounds.

A message tells its exchange and routing key. The key is the queue's name only where Celery
publishes to the queue itself; on a topic exchange each publisher makes up keys of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST_QUEUES = 100
"""Names told apart; any further ones are ``other``."""

OTHER = "other"


class QueueLabels:
    """The first so many names of queues; the rest share one."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def of_published(self, routing_key: str | None, declared: Sequence[Any] | None) -> str:
        """Return the label of a message on its way.

        Args:
            routing_key: it is sent with.
            declared: the queues that Celery makes sure of first: the one it is for, if it knows.
        """
        name = str(getattr(declared[0], "name", "")) if declared else ""
        return self._capped(name or routing_key or "")

    def of_delivered(self, app: Any, info: Mapping[str, Any] | None) -> str:
        """Return the label of a message that a worker of ``app`` got, by its ``delivery_info``."""
        found = queue_of(app, info)
        return self._capped(str((info or {}).get("routing_key") or "") if found is None else found)

    def of_refused(self, app: Any, info: Mapping[str, Any] | None) -> str:
        """Do the same for a message that nobody vouches for: what it says adds no label."""
        found = queue_of(app, info)
        return OTHER if found is None else self._capped(found)

    def _capped(self, name: str) -> str:
        if name not in self._known:
            if len(self._known) >= MOST_QUEUES:
                return OTHER
            self._known.add(name)
        return name


def queue_of(app: Any, info: Mapping[str, Any] | None) -> str | None:
    """Return the name of the queue a message came by, or None where the application knows none.

    Args:
        app: the Celery application, or None.
        info: ``delivery_info`` of the message.
    """
    if app is None or not info:
        return None
    queues: Mapping[str, Any] = app.amqp.queues.consume_from
    exchange, key = str(info.get("exchange") or ""), str(info.get("routing_key") or "")
    if not exchange:
        return key if key in queues else None
    return next((name for name, queue in queues.items() if _gets(queue, exchange, key)), None)


def _gets(queue: Any, exchange: str, key: str) -> bool:
    """Return whether a queue gets what is published to an exchange with a key."""
    return any(
        bound.exchange is not None
        and bound.exchange.name == exchange
        and _is_routed(bound.exchange.type, str(bound.routing_key or ""), key)
        for bound in queue.bindings or [queue]
    )


def _is_routed(kind: str, pattern: str, key: str) -> bool:
    if kind == "direct":
        return pattern == key
    return kind != "topic" or _words_match(pattern.split("."), key.split("."))


def _words_match(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Return whether a topic's pattern matches: ``*`` is one word, ``#`` any number of them."""
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_words_match(pattern[1:], words[at:]) for at in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _words_match(pattern[1:], words[1:])
