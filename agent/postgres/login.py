"""Proving to PostgreSQL that we know a password, without sending it where that can be helped."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct
import unicodedata

from watchkeeper.errors import Reason, UpstreamError

CLEARTEXT, MD5, SASL, SASL_CONTINUE, SASL_FINAL = 3, 5, 10, 11, 12
"""Kinds of authentication request ("Message Formats" of the manual)."""

MECHANISM = b"SCRAM-SHA-256"

MAX_ROUNDS = 1_000_000
"""A server that asks for more wants to keep us busy; its own default is 4096."""


class Conversation:
    """What is said until the server lets us in.

    Args:
        user: the role.
        password: empty for none.
        may_show: whether we know who is asking, so that the password itself may be sent.
    """

    def __init__(self, user: str, password: str, *, may_show: bool) -> None:
        self._user = user
        self._password = password
        self._may_show = may_show
        self._scram: Scram | None = None

    def answer_to(self, request: bytes) -> bytes | None:
        """Return what to answer to a request that asks for something; None for nothing.

        Raises:
            UpstreamError: the server asks for what we do not have, or cannot prove who it is.
        """
        kind, rest = struct.unpack_from("!I", request)[0], request[4:]
        if kind not in (CLEARTEXT, MD5, SASL, SASL_CONTINUE, SASL_FINAL):
            raise _refused(
                f"the server asks for login method {kind}, which the agent does not know"
            )
        if not self._password:
            raise _refused("the server asks for a password, and none is configured")
        if kind == CLEARTEXT and not self._may_show:
            raise _refused(
                "the server asks for the password in clear text; it is sent over a Unix socket or "
                "with `tls: verify` only"
            )
        if kind == CLEARTEXT:
            return self._password.encode() + b"\0"
        if kind == MD5:
            return _md5(self._user, self._password, rest) + b"\0"
        return self._scrambled(kind, rest)

    def _scrambled(self, kind: int, rest: bytes) -> bytes | None:
        if kind == SASL:
            if MECHANISM not in rest.split(b"\0"):
                raise _refused("the server knows no way of login that the agent does")
            self._scram = Scram(self._password, base64.b64encode(os.urandom(18)).decode())
            first = self._scram.first().encode()
            return MECHANISM + b"\0" + struct.pack("!I", len(first)) + first
        if self._scram is None:
            raise _refused("the server answers before it has asked")
        if kind == SASL_CONTINUE:
            return self._scram.proof(rest.decode()).encode()
        self._scram.check(rest.decode())
        return None


def _refused(message: str) -> UpstreamError:
    return UpstreamError(message, reason=Reason.AUTHENTICATION)


def _md5(user: str, password: str, salt: bytes) -> bytes:
    inner = hashlib.md5(f"{password}{user}".encode(), usedforsecurity=False).hexdigest()
    return b"md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest().encode()


class Scram:
    """SCRAM-SHA-256 (RFC 5802, 7677) without channel binding.

    Args:
        password: as the role has it.
        nonce: random, new for every login.
    """

    def __init__(self, password: str, nonce: str) -> None:
        # SASLprep differs from this in characters that nobody can type.
        self._password = unicodedata.normalize("NFKC", password).encode()
        self._nonce = nonce
        self._bare = f"n=,r={nonce}"
        self._expected = b""

    def first(self) -> str:
        """Return the client's first message; the role is known from the start of the session."""
        return f"n,,{self._bare}"

    def proof(self, challenge: str) -> str:
        """Return the proof that we know the password; raise UpstreamError for a bad challenge."""
        fields = _fields(challenge)
        try:
            nonce, salt, rounds = fields["r"], base64.b64decode(fields["s"]), int(fields["i"])
        except (KeyError, ValueError):
            raise _refused("the server's challenge makes no sense") from None
        if not nonce.startswith(self._nonce) or not 0 < rounds <= MAX_ROUNDS:
            raise _refused("the server's challenge is not one to answer")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, rounds)
        final = f"c=biws,r={nonce}"
        said = f"{self._bare},{challenge},{final}".encode()
        key = _hmac(salted, b"Client Key")
        signature = _hmac(hashlib.sha256(key).digest(), said)
        self._expected = _hmac(_hmac(salted, b"Server Key"), said)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return f"{final},p={base64.b64encode(proof).decode()}"

    def check(self, final: str) -> None:
        """Raise UpstreamError unless the server knows the password as well."""
        told = base64.b64decode(_fields(final).get("v", ""))
        if not self._expected or not hmac.compare_digest(told, self._expected):
            raise _refused("the server could not prove that it knows the password")


def _fields(message: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in message.split(",") if "=" in part)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
