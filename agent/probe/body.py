"""Matching what a target answers. The expression is the user's, but the text is the target's."""

from __future__ import annotations

from typing import Protocol


class BodyExpression(Protocol):
    """A compiled expression."""

    def search(self, text: bytes, /) -> object | None:
        """Return something where the text matches somewhere, else None."""


def compiled(expression: str) -> BodyExpression:
    """Return an expression of RE2, blackbox_exporter's dialect.

    It takes time linear to the body. ``re`` takes quadratic time for ordinary expressions, and
    meanwhile holds the lock that every scrape needs.

    Raises:
        ValueError: it is none, or uses what RE2 leaves out: looking around, back-references.
    """
    import re2  # noqa: PLC0415  # 5 MB that only matching needs

    options = re2.Options()
    options.log_errors = False
    try:
        found: BodyExpression = re2.compile(expression.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace")
        raise ValueError(f"expected a regular expression as RE2 knows it: {reason}") from None
    return found
