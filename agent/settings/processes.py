"""What of ``agent.yml`` is about groups of processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from agent.recipe import Recipe
from agent.settings.pace import Pace
from agent.settings.values import Expression
from watchkeeper.configuration import Settings


class ProcessGroupSettings(Settings):
    """Processes that are told of together.

    Attributes:
        name: the label ``groupname``.
        command: a regular expression found in the command line, or in ``[name]`` of a kernel
            thread; the first group of the list that matches has the process.
        children: whether processes that a member started, and that match no group, count too.
    """

    name: Annotated[str, Field(min_length=1)]
    command: Expression
    children: bool = True


def recipes_of(groups: Sequence[ProcessGroupSettings], proc: str, pace: Pace) -> Iterator[Recipe]:
    """Yield what to run: one collector for all groups, over the /proc at ``proc``."""
    if groups:
        arguments = {"groups": [group.model_dump() for group in groups], "proc": proc}
        yield pace.recipe("named-processes", "named-processes", arguments)
