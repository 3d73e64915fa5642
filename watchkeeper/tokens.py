"""API tokens with names and roles, of which only hashes are kept.

A token is 256 random bits, so one round of SHA-256 is enough: there is nothing to guess that a slow
hash would slow down, and every request is checked.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from watchkeeper.clock import format_rfc3339
from watchkeeper.errors import ConfigError, Problem, Refused
from watchkeeper.roles import Identity, Role
from watchkeeper.watched import Watched

PREFIX = "wk_"
"""Lets a secret scanner find a token that was committed or pasted."""

TOKEN_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True)
class NamedToken:
    """One token as it is kept."""

    name: str
    role: Role
    sha256: str
    created_at: str


class TokenFile:
    """The tokens that may be shown to a service, read again when the file changes.

    A missing file holds none. A file that becomes unusable leaves the last good tokens in force.

    Raises:
        ConfigError: the file cannot be used at the start.
    """

    def __init__(self, path: Path) -> None:
        self._file = Watched(path, read)

    @property
    def is_empty(self) -> bool:
        """Whether nobody has a token of their own."""
        self._file.reload_if_changed()
        return not self._file.current

    def identify(self, token: str) -> Identity | None:
        """Return whose token this is, or None; takes as long for a wrong one as for a right one."""
        self._file.reload_if_changed()
        digest = _digest(token)
        matches = [
            found
            for found in self._file.current
            if hmac.compare_digest(found.sha256.encode(), digest.encode())
        ]
        return Identity(matches[0].name, matches[0].role, is_person=True) if matches else None

    def named(self, name: str) -> NamedToken | None:
        """Return the token of a name as it is kept, or None when there is none any more."""
        self._file.reload_if_changed()
        return next((found for found in self._file.current if found.name == name), None)


def read(path: Path) -> tuple[NamedToken, ...]:
    """Return the tokens of a file, none when there is no file.

    Raises:
        ConfigError: it cannot be read, or is not what ``add`` writes.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_token(entry) for entry in content["tokens"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"cannot be used as a list of tokens: {type(error).__name__}: {error}"
        raise ConfigError([Problem(str(path), 0, "", message)]) from None


def _token(entry: dict[str, Any]) -> NamedToken:
    name, digest = str(entry["name"]), str(entry["sha256"])
    return NamedToken(name, Role(entry["role"]), digest, str(entry["created_at"]))


def add(path: Path, name: str, role: Role, *, now: datetime) -> str:
    """Make a token and return it; it is shown this once and kept nowhere.

    Raises:
        Refused: the name is taken or no name.
        ConfigError: the file is there and cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise Refused(f"{name!r} is no name for a token; expected letters, digits and . _ @ -")
    known = read(path)
    if any(found.name == name for found in known):
        raise Refused(f"there is a token named {name} already; remove it first")
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    _write(path, [*known, NamedToken(name, role, _digest(token), format_rfc3339(now))])
    return token


def remove(path: Path, name: str) -> None:
    """Make a token worthless from the next request on; raise Refused when there is none."""
    known = read(path)
    left = [found for found in known if found.name != name]
    if len(left) == len(known):
        raise Refused(f"there is no token named {name}")
    _write(path, left)


def _write(path: Path, tokens: Sequence[NamedToken]) -> None:
    """Replace the file whole, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = json.dumps({"tokens": [asdict(token) for token in tokens]}, indent=2)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(path)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
