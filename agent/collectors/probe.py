"""A service as its users meet it: does it answer over HTTP or TCP, how fast, until when."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult

from agent.family import Family, Sample, single
from agent.probe_target import parse_target, port_of
from watchkeeper.catalogue import probes

MAX_BODY_BYTES = 1 << 20
"""A body is read and matched this far; a target that streams for ever is not waited for."""

USER_AGENT = "watchkeeper-agent"


@dataclass(slots=True)
class Probe:
    """What one attempt found out, as far as it got."""

    succeeded: bool = False
    family: int | None = None
    phases: dict[str, float] = field(default_factory=dict)
    certificate_ends_at: float | None = None
    tls_version: str | None = None
    status: int | None = None
    version: float = 0.0
    length: int = -1
    body_bytes: int = 0
    is_unexpected_body: bool = False


class ProbeCollector:
    """Probes one target.

    A target that fails is told as ``probe_success 0``; the run itself has succeeded then.

    Args:
        url: ``http://``, ``https://``, ``tcp://host:port`` or ``tls://host:port``.
        expect_status: statuses that are good; none means any from 200 to 299.
        expect_body: a regular expression the body must match somewhere; empty for any.
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
        certificates: str = "",
    ) -> None:
        self._url = url
        self._target = parse_target(url)
        self._expect_status = frozenset(expect_status) or frozenset(range(200, 300))
        self._expect_body = re.compile(expect_body.encode()) if expect_body else None
        self._timeout_seconds = timeout_seconds
        self._tls = (
            ssl.create_default_context(cafile=certificates or None)
            if self._target.scheme in ("https", "tls")
            else None
        )

    def collect(self) -> Iterator[Family]:
        """Return what the probe found out."""
        started = time.monotonic()
        probe = Probe()
        # What goes wrong on the way is the answer: the target does not do what it should.
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._attempt(probe, started + self._timeout_seconds)
        yield single(probes.DURATION, time.monotonic() - started, (self._url,))
        yield from families_of(self._url, probe, is_http=self._target.scheme.startswith("http"))

    def _attempt(self, probe: Probe, deadline: float) -> None:
        with contextlib.closing(self._connected(probe, deadline)) as connection:
            if self._target.scheme.startswith("http"):
                self._request(connection, probe, deadline)
            else:
                probe.succeeded = True

    def _connected(self, probe: Probe, deadline: float) -> socket.socket:
        host = self._target.hostname or ""
        port = port_of(self._target)
        with _phase(probe, "resolve"):
            address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        probe.family = 6 if address[0] == socket.AF_INET6 else 4
        connection = socket.socket(address[0], socket.SOCK_STREAM)
        try:
            with _phase(probe, "connect"):
                connection.settimeout(_left(deadline))
                connection.connect(address[4])
            return self._secured(connection, host, probe, deadline)
        except BaseException:
            connection.close()
            raise

    def _secured(
        self, connection: socket.socket, host: str, probe: Probe, deadline: float
    ) -> socket.socket:
        if self._tls is None:
            return connection
        with _phase(probe, "tls"):
            connection.settimeout(_left(deadline))
            secured = self._tls.wrap_socket(connection, server_hostname=host)
        probe.tls_version = secured.version()
        certificate = secured.getpeercert() or {}
        probe.certificate_ends_at = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
        return secured

    def _request(self, connection: socket.socket, probe: Probe, deadline: float) -> None:
        client = http.client.HTTPConnection(self._target.netloc)
        client.sock = connection
        with _phase(probe, "processing"):
            connection.settimeout(_left(deadline))
            headers = {"User-Agent": USER_AGENT, "Connection": "close"}
            client.request("GET", _path_of(self._target), headers=headers)
            answer = client.getresponse()
        if answer.length is not None:
            probe.length = answer.length
        with _phase(probe, "transfer"):
            connection.settimeout(_left(deadline))
            body = answer.read(MAX_BODY_BYTES)
        probe.status, probe.version = answer.status, answer.version / 10
        probe.body_bytes = len(body)
        expected = self._expect_body
        probe.is_unexpected_body = expected is not None and not expected.search(body)
        probe.succeeded = answer.status in self._expect_status and not probe.is_unexpected_body

    def close(self) -> None:
        """Nothing is held open."""


def families_of(target: str, probe: Probe, *, is_http: bool) -> Iterator[Family]:
    """Yield what an attempt found out; what it did not get to is left out."""
    label = (target,)
    yield single(probes.SUCCESS, int(probe.succeeded), label)
    if "resolve" in probe.phases:
        yield single(probes.DNS_TIME, probe.phases["resolve"], label)
    if probe.family is not None:
        yield single(probes.IP_PROTOCOL, probe.family, label)
    if probe.certificate_ends_at is not None:
        yield single(probes.CERTIFICATE_EXPIRY, probe.certificate_ends_at, label)
    if probe.tls_version is not None:
        yield single(probes.TLS_VERSION, 1, (target, probe.tls_version))
    if is_http:
        yield from _http_families(target, probe)


def _http_families(target: str, probe: Probe) -> Iterator[Family]:
    label = (target,)
    phases: list[Sample] = [
        ((target, phase), probe.phases.get(phase, 0.0))
        for phase in ("resolve", "connect", "tls", "processing", "transfer")
    ]
    yield Family(probes.HTTP_DURATION, phases)
    yield single(probes.HTTP_STATUS, probe.status or 0, label)
    yield single(probes.HTTP_LENGTH, probe.length, label)
    yield single(probes.HTTP_BODY, probe.body_bytes, label)
    yield single(probes.HTTP_TLS, int(probe.tls_version is not None), label)
    yield single(probes.HTTP_VERSION, probe.version, label)
    yield single(probes.BODY_MISMATCH, int(probe.is_unexpected_body), label)


@contextlib.contextmanager
def _phase(probe: Probe, name: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        probe.phases[name] = time.monotonic() - started


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for the probe is over")
    return left


def _path_of(target: SplitResult) -> str:
    path = target.path or "/"
    return f"{path}?{target.query}" if target.query else path
