"""Queues by virtual host and name: the fullest come in a list, any other is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from agent.rabbitmq.api import ManagementApi
from watchkeeper.catalogue import rabbitmq
from watchkeeper.errors import UpstreamError

COLUMNS = ",".join(("vhost", "name", *rabbitmq.FROM_QUEUE))
"""Only what is told of is asked for: a queue's whole answer is ten times as long."""

FULLEST = "/api/queues?page=1&page_size={limit}&sort=messages&sort_reverse=true&columns=" + COLUMNS
ONE = "/api/queues/{vhost}/{name}?columns=" + COLUMNS

UNSEEN = frozenset({401, 403, 404})
"""Statuses of a queue that is not there, or not for our user though the list is."""

DEFAULT_VHOST = "/"

Queue = Mapping[str, Any]


class Queues:
    """The queues of one look.

    Args:
        api: of the server.
        limit: how many to get in one go, the fullest ones.

    Raises:
        UpstreamError: it cannot be reached or will not say.
        LookupError, TypeError: it answers with something else.
    """

    def __init__(self, api: ManagementApi, limit: int) -> None:
        self._api = api
        answer = api.get(FULLEST.format(limit=limit))
        self.fullest: list[Queue] = answer["items"]
        self._known = {(queue["vhost"], queue["name"]): queue for queue in self.fullest}
        self._are_all = answer["page_count"] <= 1

    def find(self, vhost: str, name: str) -> Queue | None:
        """Return a queue, among the fullest or not; None where there is none to be seen."""
        known = self._known.get((vhost, name))
        if known is not None or self._are_all:
            return known
        try:
            found: Queue = self._api.get(
                ONE.format(vhost=quote(vhost, safe=""), name=quote(name, safe=""))
            )
        except UpstreamError as error:
            if error.status in UNSEEN:
                return None
            raise
        return found


def parse_name(written: str) -> tuple[str, str]:
    """Return virtual host and name of a queue written ``name`` or ``vhost/name``.

    Without a virtual host it is that of the default one, ``/``. A slash in the name of a virtual
    host is written ``%2F``, as in RabbitMQ's URLs.

    Raises:
        ValueError: the name is missing.
    """
    vhost, name = written.split("/", 1) if "/" in written else ("", written)
    if not name:
        raise ValueError("expected a queue's name, or vhost/name")
    return unquote(vhost) or DEFAULT_VHOST, name
