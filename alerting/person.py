"""Whose name stands under a deed, and what speaks for it being theirs."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Proof(StrEnum):
    """What speaks for a name."""

    TYPED = "typed"
    """Nothing: whoever asked wrote it into a field."""
    TOKEN = "token"  # noqa: S105  # the word, not a secret
    """A token of that name."""
    SESSION = "session"
    """The console, which showed our services' own token, vouches for somebody signed in there."""


class Person(str):
    """The name of somebody; wherever it is recorded, ``proof`` is recorded beside it.

    A name without one belongs to a part of the program, or was recorded by an older release.
    """

    __slots__ = ("proof",)

    proof: Proof

    def __new__(cls, name: str, proof: Proof) -> Self:
        """Return the name with what speaks for it."""
        made = super().__new__(cls, name)
        made.proof = proof
        return made


def proven(name: str) -> dict[str, str]:
    """Return what a record says of a name beside it; nothing for one that is no person's."""
    return {"name_is": str(name.proof)} if isinstance(name, Person) else {}
