"""Checking passwords against bcrypt hashes, slow by design, at most once each."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import threading
from collections.abc import Mapping
from typing import NamedTuple

MAX_REMEMBERED = 100
"""Good logins whose check is not repeated; as exporter-toolkit's cache."""

NOBODY = "$2b$10$" + "." * 22 + "0" * 31
"""What an unknown user's password is checked against, so that it takes as long as a known one's."""

BCRYPT_BYTES = 72
"""bcrypt looks at no more of a password."""


class Login(NamedTuple):
    """A name and a password, as somebody sent them."""

    user: str
    password: bytes


def parse_basic(authorization: str) -> Login | None:
    """Return what an Authorization header says (RFC 7617); None when it is of another kind."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).partition(b":")
        return Login(user.decode(), password) if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None


class Passwords:
    """Tells good logins from others. One is checked at a time: each takes a tenth of a second."""

    def __init__(self) -> None:
        self._salt = os.urandom(16)
        self._good: set[bytes] = set()
        self._checking = threading.Lock()

    def are_good(self, login: Login, users: Mapping[str, str]) -> bool:
        """Return whether ``login`` is one of ``users``, bcrypt hashes by name."""
        import bcrypt  # noqa: PLC0415  # needed only where passwords are asked for

        hashed = users.get(login.user, NOBODY)
        mark = self._mark(login, hashed)
        if mark in self._good:
            return True
        with self._checking:
            is_good = bcrypt.checkpw(login.password[:BCRYPT_BYTES], hashed.encode())
        if is_good and login.user in users:
            if len(self._good) >= MAX_REMEMBERED:
                self._good.clear()
            self._good.add(mark)
            return True
        return False

    def _mark(self, login: Login, hashed: str) -> bytes:
        """Return what a login is remembered by; a changed hash forgets it, and it tells nothing."""
        parts = (login.user.encode(), hashed.encode(), login.password)
        return hashlib.blake2b(b"\0".join(parts), key=self._salt).digest()
