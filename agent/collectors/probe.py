"""A service as its users meet it: does it answer over HTTP or TCP, how fast, until when."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Iterator, Sequence

from agent.family import Family, single
from agent.probe.body import compiled
from agent.probe.connection import connected
from agent.probe.deadline import Deadline
from agent.probe.families import families_of
from agent.probe.finding import Finding
from agent.probe.http import Expectation, ask
from agent.probe.target import parse_target
from agent.trust import Trust
from watchkeeper.catalogue import probes


class ProbeCollector:
    """Probes one target.

    A target that fails is told as ``probe_success 0``; the run itself has succeeded then.

    Args:
        url: ``http://``, ``https://``, ``tcp://host:port`` or ``tls://host:port``.
        expect_status: statuses that are good; none means any from 200 to 299.
        expect_body: a regular expression of RE2 that the body must match somewhere; empty for any.
        follow_redirects: whether to go where an answer points, up to ten times.
        timeout_seconds: for the whole probe.
        certificates: file with the authorities to trust; empty for the system's.
    """

    def __init__(
        self,
        *,
        url: str,
        expect_status: Sequence[int],
        expect_body: str,
        timeout_seconds: float,
        follow_redirects: bool = True,
        certificates: str = "",
    ) -> None:
        self._url = url
        self._target = parse_target(url)
        self._is_http = self._target.scheme.startswith("http")
        body = compiled(expect_body) if expect_body else None
        self._expectation = Expectation(frozenset(expect_status), body, follow_redirects)
        self._timeout_seconds = timeout_seconds
        self._trust = Trust(certificates)

    def collect(self) -> Iterator[Family]:
        """Return what the probe found out."""
        started = time.monotonic()
        finding = Finding()
        # What goes wrong on the way is the answer: the target does not do what it should. That
        # includes ValueError: it chooses the names, ports and URLs that it redirects to.
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            self._attempt(finding, Deadline(self._timeout_seconds))
        yield single(probes.DURATION, time.monotonic() - started, (self._url,))
        yield from families_of(self._url, finding, is_http=self._is_http)

    def _attempt(self, finding: Finding, deadline: Deadline) -> None:
        if self._is_http:
            ask(self._target, self._expectation, self._trust.context, finding, deadline)
            return
        with connected(self._target, self._trust.context, finding, deadline):
            finding.succeeded = True

    def when_silent(self) -> list[Family]:
        """Return ``probe_success 0``: a resolver that never answers outlasts any limit of ours."""
        return [single(probes.SUCCESS, 0, (self._url,))]

    def close(self) -> None:
        """Nothing is held open."""
