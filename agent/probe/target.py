"""What a probe may be pointed at."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

PORTS = {"http": 80, "https": 443, "tcp": 0, "tls": 443}
"""Default port by scheme; 0 where it must be named."""


def parse_target(url: str) -> SplitResult:
    """Return the parts of a target; raise ValueError saying what is expected."""
    target = urlsplit(url)
    if target.scheme not in PORTS or not target.hostname or not port_of(target):
        raise ValueError("expected http://…, https://…, tcp://host:port or tls://host:port")
    if target.username or target.password:
        raise ValueError("expected no user and password in a URL: it becomes a label")
    return target


def port_of(target: SplitResult) -> int:
    """Return the port to connect to, 0 when it is missing; raise ValueError for an odd one."""
    return target.port or PORTS[target.scheme]
