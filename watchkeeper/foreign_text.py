"""Other programs' words, made fit to be kept."""

from __future__ import annotations


def storable(text: str) -> str:
    """Return ``text`` without what PostgreSQL or UTF-8 refuse: NUL, and halves of characters.

    One of them in an answer would fail the whole transaction that notes it, again and again.
    """
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
