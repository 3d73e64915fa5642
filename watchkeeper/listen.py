"""Addresses to listen on, and the rule that only loopback is open without authentication."""

from __future__ import annotations

import errno
import ipaddress
from typing import NamedTuple

from watchkeeper.errors import ConfigError, Problem


class Listen(NamedTuple):
    """A host and port to bind."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_listen(text: str) -> Listen:
    """Return host and port of ``HOST:PORT`` or ``[IPv6]:PORT``; raise ConfigError otherwise."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise _problem(f"expected HOST:PORT such as 127.0.0.1:8301, got {text!r}")
    return Listen(host, int(port))


def require_guarded(listen: Listen, token: str | None) -> None:
    """Refuse to serve other machines without authentication; raise ConfigError."""
    if not listen.is_loopback and not token:
        message = (
            f"refusing to listen on {listen.host} without authentication; bind 127.0.0.1, or name "
            "a token file in WATCHKEEPER_API_TOKEN_FILE"
        )
        raise _problem(message)


def cannot_listen(listen: Listen, error: OSError) -> ConfigError:
    """Return what to tell whoever chose an address that cannot be bound."""
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    why = error.strerror or str(error)
    if error.errno == errno.EADDRINUSE:
        why = "another program listens there; stop it, or choose another address"
    return _problem(f"cannot listen on {host}:{listen.port}: {why}")


def _problem(message: str) -> ConfigError:
    return ConfigError([Problem("--listen", 0, "", message)])
