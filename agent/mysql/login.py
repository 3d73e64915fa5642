"""Proving to MySQL that we know a password, without showing it to whoever asks.

Over a port we do not know who is asking, unless TLS proved it. The driver by itself would take any
certificate there, and then send the password as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pymysql

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from pymysql.connections import Connection

DISABLE, VERIFY_AUTHORITY, VERIFY = "disable", "verify-ca", "verify"
"""How TLS is spoken: not at all, with a server whose certificate is of an authority we trust, or
with one that proves its name as well."""

SHOWING = ("mysql_clear_password", "dialog", "sha256_password")
"""Methods that need the password itself, or encrypt it with whatever key the server shows."""

SCRAMBLING = "caching_sha2_password"
"""MySQL's own since 8.0: proves the password while the server remembers it, else needs it."""

IS_REMEMBERED, WANTS_PASSWORD = 3, 4
"""What the server answers to a scrambled password ("Caching SHA-2 Pluggable Authentication")."""

ER_ACCESS_DENIED = 1045
"""The server's number for a login that is refused."""

NOT_SHOWN = (
    "the server asks for the password in clear text; it is sent over a Unix socket, with "
    "`tls: verify`, or with `tls: verify-ca` and `certificates` only"
)


class Unshown:
    """Refuses a method that shows the password."""

    def __init__(self, connection: object) -> None:
        del connection

    def authenticate(self, packet: object) -> None:
        """Raise OperationalError; called by the driver."""
        del packet
        raise pymysql.err.OperationalError(ER_ACCESS_DENIED, NOT_SHOWN)


class Scrambled:
    """Proves the password to a server that remembers it, and refuses to show it to one that not."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def authenticate(self, packet: pymysql.connections.MysqlPacket) -> object:
        """Return the server's last word; called by the driver.

        Raises:
            pymysql.err.OperationalError: the server wants the password itself.
        """
        connection = self._connection
        if packet.is_auth_switch_request():
            nonce = packet.read_all().removesuffix(b"\0")
            connection.write_packet(scrambled(connection.password, nonce))
            packet = connection._read_packet()  # noqa: SLF001  # the driver's handlers have no other
        if not packet.is_extra_auth_data():
            return packet
        packet.advance(1)
        if packet.read_uint8() != IS_REMEMBERED:
            raise pymysql.err.OperationalError(ER_ACCESS_DENIED, NOT_SHOWN)
        return connection._read_packet()  # noqa: SLF001


def scrambled(password: bytes, nonce: bytes) -> bytes:
    """Return ``SHA256(password) XOR SHA256(SHA256(SHA256(password)) nonce)``; empty for none."""
    if not password:
        return b""
    once = hashlib.sha256(password).digest()
    twice = hashlib.sha256(once).digest()
    mask = hashlib.sha256(twice + nonce).digest()
    return bytes(left ^ right for left, right in zip(once, mask, strict=True))


def methods(*, may_show: bool) -> Mapping[str, Callable[[Connection], object]]:
    """Return what takes the place of the driver's own methods, by name.

    Args:
        may_show: whether we know who is asking, so that the password itself may be sent.
    """
    return {} if may_show else {SCRAMBLING: Scrambled, **dict.fromkeys(SHOWING, Unshown)}


def is_proven(tls: str, certificates: str) -> bool:
    """Return whether a server that we talk to has proved who it is.

    An authority proves it without the name only if it is one's own: those of the system sign for
    everybody.
    """
    return tls == VERIFY or (tls == VERIFY_AUTHORITY and bool(certificates))


def encryption(tls: str, certificates: str) -> ssl.SSLContext | None:
    """Return how TLS is spoken; None for not at all.

    Raises:
        OSError: the file of the authorities cannot be used.
    """
    if tls == DISABLE:
        return None
    import ssl  # noqa: PLC0415  # 5 MB that only those pay who need it

    context = ssl.create_default_context(cafile=certificates or None)
    context.check_hostname = tls == VERIFY
    if tls == VERIFY_AUTHORITY:
        # The authority that MySQL makes for itself does not say what it may be used for.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
