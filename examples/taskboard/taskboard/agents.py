"""The two agents that share the work; each keeps its own tables and follows the other's changes."""

from __future__ import annotations

from enum import StrEnum


class Agent(StrEnum):
    """An agent's name; also the name of its database schema."""

    ALPHA = "alpha"
    BETA = "beta"

    @property
    def partner(self) -> Agent:
        """The agent this one hands tasks to and copies from."""
        return Agent.BETA if self is Agent.ALPHA else Agent.ALPHA
