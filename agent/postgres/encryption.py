"""TLS to a PostgreSQL server: where it is asked for, and whether the server must prove itself."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

from watchkeeper.errors import Reason, UpstreamError

TLS_REQUEST = (1234 << 16) + 5679

VERIFY = "verify"
"""The setting with which the server must prove who it is; libpq's ``verify-full``."""


class Encryption(NamedTuple):
    """How a connection is to be encrypted.

    Attributes:
        is_asked: whether to ask for it, and take it if the server has it.
        is_verified: whether to go on only with a server that proves that it has the name.
        certificates: file with the authorities to trust; empty for the system's.
    """

    is_asked: bool
    is_verified: bool = False
    certificates: str = ""


def secured(connection: socket.socket, host: str, encryption: Encryption) -> socket.socket:
    """Return the connection, encrypted where that is asked for and to be had.

    Raises:
        OSError: the server cannot prove who it is, or breaks off.
        UpstreamError: it must and has no TLS at all.
    """
    if not encryption.is_asked:
        return connection
    connection.sendall(struct.pack("!II", 8, TLS_REQUEST))
    if connection.recv(1) != b"S":
        if encryption.is_verified:
            message = "the server has no TLS, which is to be verified"
            raise UpstreamError(message, reason=Reason.CONNECTION)
        return connection
    import ssl  # noqa: PLC0415  # 5 MB that only those pay who need it

    if encryption.is_verified:
        context = ssl.create_default_context(cafile=encryption.certificates or None)
    else:  # encrypted but not verified: what libpq's sslmode=prefer does
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection, server_hostname=host)
