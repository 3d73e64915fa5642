"""Unix sockets, and who is behind them: anybody may put one into /tmp and ask for a password."""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
import struct

from watchkeeper.errors import Reason, UpstreamError

CREDENTIALS = struct.Struct("iII")
"""``struct ucred``: process, user, group (unix(7))."""


def connected(path: str, account: str, timeout_seconds: float) -> socket.socket:
    """Return a connection to the server that listens at ``path``.

    Args:
        account: the user such servers usually run as.
        timeout_seconds: for connecting.

    Raises:
        OSError: it cannot be reached.
        UpstreamError: it belongs to a user who may be anybody; nothing was sent.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout_seconds)
    try:
        connection.connect(path)
        _check_owner(_owner_of(connection), path, account)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_owner(owner: int, path: str, account: str) -> None:
    if owner not in _trusted(path, account):
        message = f"{path} belongs to user {owner}, who is neither {account} nor its directory's"
        raise UpstreamError(message, reason=Reason.PERMISSION)


def _owner_of(connection: socket.socket) -> int:
    """Return the user who listens, as the kernel saw it then."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return int(CREDENTIALS.unpack(told)[1])


def _trusted(path: str, account: str) -> set[int]:
    """Return the users whom we may trust with a password.

    Who owns the directory may put any socket into it, and was trusted by whoever named it.
    """
    users = {0, os.geteuid(), os.stat(os.path.dirname(path)).st_uid}  # noqa: PTH116, PTH120
    with contextlib.suppress(KeyError):
        users.add(pwd.getpwnam(account).pw_uid)
    return users
