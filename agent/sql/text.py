"""The text of statements, fit to leave the server: no literals, and not too long."""

from __future__ import annotations

import re
from typing import NamedTuple

TEXT_BYTES = 200
"""Texts are cut to this length: a label is for telling statements apart, not for reading them."""


class Dialect(NamedTuple):
    """How a server reads its statements.

    Attributes:
        token: finds the next part that is more than a sign, in the groups ``comment`` (one line),
            ``block`` (the start of a comment), ``sure`` (a literal), ``plain`` (a literal whose end
            depends on how the server takes a backslash), ``keep`` (a name or a parameter).
        nests_comments: whether a block comment may hold others.
    """

    token: re.Pattern[str]
    nests_comments: bool


_NUMBER = r"\d[\w.]* (?: (?<=[eE]) [+-]\d+ )?"

POSTGRES = Dialect(
    re.compile(
        rf"""
          (?P<comment> --[^\n]* )
        | (?P<block> /\* )
        | (?P<sure> [eE]'(?:\\.|''|[^'\\])*(?:'|\Z)
                  | \$(?P<tag>[^\W\d]\w*|)\$.*?(?:\$(?P=tag)\$|\Z)
                  | {_NUMBER} )
        | (?P<plain> '(?:''|[^'])*(?:'|\Z) )
        | (?P<keep> "(?:""|[^"])*(?:"|\Z) | \$\d+ | [^\W\d][\w$]* )
        """,
        re.VERBOSE | re.DOTALL,
    ),
    nests_comments=True,
)

MYSQL = Dialect(
    re.compile(
        rf"""
          (?P<comment> --[^\n]* | \#[^\n]* )
        | (?P<block> /\* )
        | (?P<sure> {_NUMBER} )
        | (?P<plain> '(?:\\.|''|[^'\\])*(?:'|\Z) | "(?:\\.|""|[^"\\])*(?:"|\Z) )
        | (?P<keep> `(?:``|[^`])*(?:`|\Z) | [^\W\d][\w$]* )
        """,
        re.VERBOSE | re.DOTALL,
    ),
    nests_comments=False,
)

_UNSURE = re.compile(r"""\\['"]""")
"""A quote after a backslash ends a string or not, depending on a setting of the session."""


def without_literals(text: str, dialect: Dialect = POSTGRES) -> str:
    """Return a statement with its literals as ``?``, without comments, on one line.

    The server has replaced the literals of ordinary statements; those of utility statements
    (``CREATE ROLE … PASSWORD 'x'``) it leaves, and so do comments. Where nobody can say from the
    text alone where a literal ends, the rest is left out.
    """
    pieces: list[str] = []
    at = 0
    while (match := dialect.token.search(text, at)) is not None:
        pieces.append(text[at : match.start()])
        at = match.end()
        if match["block"]:
            at = _end_of_comment(text, at, nests=dialect.nests_comments)
        if match["comment"] or match["block"]:
            pieces.append(" ")
        else:
            pieces.append(match["keep"] or "?")
        if match["plain"] and _UNSURE.search(match["plain"]):
            pieces.append(" …")
            at = len(text)
    return " ".join("".join([*pieces, text[at:]]).split())


_COMMENT_MARK = re.compile(r"/\*|\*/")


def _end_of_comment(text: str, at: int, *, nests: bool) -> int:
    depth = 1
    while depth:
        mark = _COMMENT_MARK.search(text, at)
        if mark is None:
            return len(text)
        at = mark.end()
        if mark[0] == "*/":
            depth -= 1
        elif nests:
            depth += 1
    return at


def shortened(text: str, max_bytes: int) -> str:
    """Return ``text`` cut to at most ``max_bytes`` (> 3) bytes of UTF-8, ending in … when cut."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= max_bytes:
        return text
    return raw[: max_bytes - 3].decode("utf-8", "ignore") + "…"
