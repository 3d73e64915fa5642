"""Programs that may be run, with what may vary in their arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Self

from pydantic import Field, model_validator

from remediation.targets import Limited
from watchkeeper.configuration import ProblemAt, Settings

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")

MAXIMUM_VALUE_CHARACTERS = 200


class TextParameter(Settings):
    """What a call may put in a placeholder: text that the whole of ``pattern`` matches."""

    pattern: str

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ProblemAt(f"not a regular expression: {error}", "pattern") from None
        return self

    def allows(self, value: str) -> bool:
        """Return whether ``value`` may stand in an argument.

        One that begins with a dash never may: the program would take it for an option.
        """
        is_plain = value.isprintable() and len(value) <= MAXIMUM_VALUE_CHARACTERS
        is_whole = re.fullmatch(self.pattern, value) is not None
        return is_plain and is_whole and not value.startswith("-")


class CommandTarget(Limited):
    """A program and its arguments; there is no shell.

    Attributes:
        command: the program by its absolute path, then its arguments, which may hold ``{name}``.
        parameters: what each ``{name}`` may be.
        directory: where it runs.
        environment: all that it gets beside PATH and LANG; nothing of ours.
        user: whom it runs as; the endpoint's own user by default.
        maximum_output_bytes: of its output, the end of which is kept.
    """

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    parameters: dict[str, TextParameter] = Field(default_factory=dict)
    directory: str = "/"
    environment: dict[str, str] = Field(default_factory=dict)
    user: str | None = None
    maximum_output_bytes: Annotated[int, Field(ge=0, le=65_536)] = 4096

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        program, *arguments = self.command
        if not PurePosixPath(program).is_absolute() or PLACEHOLDER.search(program):
            raise ProblemAt("expected the absolute path of a program first", "command")
        used = {name for argument in arguments for name in PLACEHOLDER.findall(argument)}
        if used != set(self.parameters):
            odd = ", ".join(sorted(used ^ set(self.parameters)))
            raise ProblemAt(f"expected each of command's {{names}} once, and no other: {odd}",
                            "parameters")  # fmt: skip
        return self

    def arguments(self, values: Mapping[str, str]) -> list[str]:
        """Return the argument list with every placeholder filled."""
        return [PLACEHOLDER.sub(lambda found: values[found[1]], part) for part in self.command]
