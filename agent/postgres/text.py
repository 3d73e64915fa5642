"""The text of statements, fit to leave the server: no literals, and not too long."""

from __future__ import annotations

import re

TEXT_BYTES = 200
"""Texts are cut to this length: a label is for telling statements apart, not for reading them."""

_LITERAL = re.compile(
    r"""
      (?P<comment>  /\*.*?(?:\*/|\Z) | --[^\n]* )
    | [eE]'(?:\\.|''|[^'\\])*(?:'|\Z)          # escape string
    | '(?:''|[^'])*(?:'|\Z)                    # string, also the rest of one that was cut off
    | \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)   # dollar-quoted string
    | (?P<keep> "(?:""|[^"])*(?:"|\Z) | \$\d+ | [^\W\d]\w* )
    | \d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?      # number
    """,
    re.VERBOSE | re.DOTALL,
)


def without_literals(text: str) -> str:
    """Return a statement with its literals as ``?``, without comments, on one line.

    The server has replaced the literals of ordinary statements by ``$1``; those of utility
    statements (``CREATE ROLE … PASSWORD 'x'``) it leaves, and so do comments.
    """
    plain = _LITERAL.sub(_replacement, text)
    return " ".join(plain.split())


def _replacement(match: re.Match[str]) -> str:
    if match["comment"]:
        return " "
    return match["keep"] or "?"


def shortened(text: str, max_bytes: int) -> str:
    """Return ``text`` cut to at most ``max_bytes`` (> 3) bytes of UTF-8, ending in … when cut."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= max_bytes:
        return text
    return raw[: max_bytes - 3].decode("utf-8", "ignore") + "…"
