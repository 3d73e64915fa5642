"""What of ``agent.yml`` is about the files of other programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from agent.recipe import Recipe
from agent.settings.pace import Pace
from watchkeeper.configuration import Settings


class TextfileSettings(Settings):
    """Files that other programs leave for the agent.

    Attributes:
        directories: where ``*.prom`` files lie.
        max_bytes: of one file; a larger one is not told of.
    """

    directories: tuple[str, ...] = ()
    max_bytes: Annotated[int, Field(ge=1, le=64 << 20)] = 1 << 20

    def recipes(self, pace: Pace) -> Iterator[Recipe]:
        """Yield what to run, if there is a directory."""
        if self.directories:
            yield pace.recipe("textfile", "textfile", self.model_dump())
