"""Who is asking, and how much they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a token allows; each role includes the ones before it."""

    VIEWER = "viewer"
    """Looks at everything but secrets."""
    OPERATOR = "operator"
    """Answers incidents: acknowledges, silences, approves, stops and resumes actions."""
    ADMIN = "admin"
    """Changes what the stack does by itself, such as a rule's mode."""

    def includes(self, needed: Role) -> bool:
        """Return whether this role may do what ``needed`` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


LOOKING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def usual_role(method: str) -> Role:
    """Return what an endpoint asks for of which nothing else is said."""
    return Role.VIEWER if method in LOOKING_METHODS else Role.OPERATOR


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking.

    Attributes:
        name: of the token, or a fixed word for the stack itself and for this machine.
        is_person: the name stands for somebody; deeds are recorded under it, whatever they claim.
    """

    name: str
    role: Role
    is_person: bool = False


STACK = Identity("stack", Role.ADMIN)
"""Our own services, who share one token; they say for whom they ask."""

THIS_MACHINE = Identity("local", Role.ADMIN)
"""Whoever reaches a loopback service that asks for no token."""

NOBODY = Identity("nobody", Role.VIEWER)
"""Who was let in without saying who it is."""
