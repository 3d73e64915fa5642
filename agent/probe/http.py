"""Asking an HTTP service, and following where it sends us."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Collection
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import cast
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from agent.probe.body import BodyExpression
from agent.probe.connection import Trust, connected
from agent.probe.deadline import Deadline, Stream
from agent.probe.finding import Finding
from agent.probe.target import PORTS

MAX_BODY_BYTES = 1 << 20
"""A body is read and matched this far; a target that streams for ever is not waited for."""

MOST_REDIRECTS = 10
"""As blackbox_exporter and Go's client."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})

GOOD_STATUSES = frozenset(range(200, 300))

USER_AGENT = "watchkeeper-agent"

URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
"""What a URL may hold besides letters, digits and ``_.-`` (RFC 3986), and the sign of a quote."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a good answer is.

    Attributes:
        statuses: good ones; none for any from 200 to 299.
        body: what the body must match somewhere, or None.
        follow_redirects: a redirect that is none of ``statuses`` is followed.
    """

    statuses: Collection[int]
    body: BodyExpression | None
    follow_redirects: bool

    def is_good(self, status: int) -> bool:
        """Return whether a status is a good one."""
        return status in (self.statuses or GOOD_STATUSES)

    def is_to_follow(self, status: int) -> bool:
        """Return whether to go where an answer points; one that is expected is the answer."""
        return self.follow_redirects and status in REDIRECTS and status not in self.statuses


def ask(
    target: SplitResult,
    expectation: Expectation,
    tls: Trust,
    finding: Finding,
    deadline: Deadline,
) -> None:
    """Ask for ``target`` and, over redirects, for what it stands for.

    Raises:
        OSError, http.client.HTTPException: it did not get to an answer.
        ValueError: it sends us to what is no URL, or to a name or port there cannot be.
    """
    while (location := _ask_once(target, expectation, tls, finding, deadline)) is not None:
        if finding.redirects == MOST_REDIRECTS:
            finding.redirects += 1
            return
        finding.forget_answer()
        target = urlsplit(urljoin(target.geturl(), location))
        finding.redirects += 1
        if target.scheme not in PORTS or not target.hostname:
            raise http.client.InvalidURL(f"sent to {target.geturl()}")
    body_is_good = not finding.is_unexpected_body
    finding.succeeded = expectation.is_good(finding.status) and body_is_good


def _ask_once(
    target: SplitResult,
    expectation: Expectation,
    tls: Trust,
    finding: Finding,
    deadline: Deadline,
) -> str | None:
    """Ask for one URL; return where it sends us, or None when this was the answer."""
    with connected(target, tls, finding, deadline) as connection:
        client = http.client.HTTPConnection(target.netloc.rpartition("@")[2])
        client.sock = cast("socket.socket", Stream(connection, deadline))
        with finding.phase("processing"):
            headers = {"User-Agent": USER_AGENT, "Connection": "close"}
            client.request("GET", _path_of(target), headers=headers)
            answer = client.getresponse()
        finding.status, finding.version = answer.status, answer.version / 10
        finding.length = -1 if answer.length is None else answer.length
        finding.modified_at = _moment(answer.getheader("Last-Modified"))
        location = answer.getheader("Location")
        if location and expectation.is_to_follow(answer.status):
            # Raw bytes are common there; quoted they are what browsers and Go's client ask for.
            return quote(location, URL_CHARACTERS, encoding="latin-1")
        with finding.phase("transfer"):
            body = answer.read(MAX_BODY_BYTES)
        finding.body_bytes = len(body)
        expected = expectation.body
        finding.is_unexpected_body = expected is not None and not expected.search(body)
        return None


def _moment(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None


def _path_of(target: SplitResult) -> str:
    path = target.path or "/"
    return quote(f"{path}?{target.query}" if target.query else path, URL_CHARACTERS)
