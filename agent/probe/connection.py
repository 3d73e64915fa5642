"""Connecting to a target: its name, its port, and TLS where it asks for it."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult

from agent.probe.certificates import certificates_of
from agent.probe.deadline import Deadline
from agent.probe.finding import Finding
from agent.probe.target import port_of

ENCRYPTED = ("https", "tls")

Trust = Callable[[], ssl.SSLContext]
"""Returns what is trusted; asked only when TLS is spoken, which a redirect may bring about."""


@contextlib.contextmanager
def connected(
    target: SplitResult, tls: Trust, finding: Finding, deadline: Deadline
) -> Iterator[socket.socket]:
    """Connect for the time of the block, noting how long each phase took.

    Raises:
        OSError: the name, the port, the certificate or the time was not good.
    """
    host = target.hostname or ""
    with finding.phase("resolve"):
        family, kind, _, _, address = socket.getaddrinfo(
            host, port_of(target), type=socket.SOCK_STREAM
        )[0]
    finding.address = finding.address or socket.inet_pton(family, str(address[0]))
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.socket(family, kind))
        with finding.phase("connect"):
            connection.settimeout(deadline.left_seconds())
            connection.connect(address)
        finding.tls_version = None
        if target.scheme in ENCRYPTED:
            with finding.phase("tls"):
                connection.settimeout(deadline.left_seconds())
                secured = stack.enter_context(tls().wrap_socket(connection, server_hostname=host))
            finding.tls_version = secured.version()
            finding.certificates = certificates_of(secured)
            connection = secured
        yield connection
