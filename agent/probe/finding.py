"""What a probe found out, as far as it got."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a server showed of itself.

    Attributes:
        earliest_end_at: when the first of the certificates it sent ends, Unix time.
        chain_end_at: when the chain that was verified ends, Unix time.
        fingerprint: SHA-256 of its own certificate, hexadecimal.
        issuer: of its own certificate, RFC 2253.
        subject: of it.
        names: its alternative names, separated by commas.
    """

    earliest_end_at: float
    chain_end_at: float
    fingerprint: str
    issuer: str
    subject: str
    names: str


@dataclass(slots=True)
class Finding:
    """Filled in on the way; what the probe did not get to stays as it is here.

    Attributes:
        succeeded: the target did what is expected of it.
        address: the one connected to first, packed.
        phases: seconds spent, by phase, over all redirects.
        certificates: those of the last connection over TLS.
        tls_version: of the last connection, as OpenSSL spells it.
        redirects: that were followed.
        status: of the last answer.
        version: of HTTP.
        length: Content-Length of the last answer, -1 without one.
        modified_at: Last-Modified of the last answer, Unix time.
        body_bytes: of the body that was read.
        is_unexpected_body: the body is not what is expected.
    """

    succeeded: bool = False
    address: bytes = b""
    phases: dict[str, float] = field(default_factory=dict)
    certificates: Certificates | None = None
    tls_version: str | None = None
    redirects: int = 0
    status: int = 0
    version: float = 0.0
    length: int = 0
    modified_at: float | None = None
    body_bytes: int = 0
    is_unexpected_body: bool = False

    def forget_answer(self) -> None:
        """Take back the last answer: it sent us on, and what is told is of the one that did not."""
        self.status, self.version, self.length, self.modified_at = 0, 0.0, 0, None

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time that the block takes, whether it succeeds or not."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.phases[name] = self.phases.get(name, 0.0) + time.monotonic() - started
