"""What other services answer, read into types: strict about what we use, blind to the rest."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from watchkeeper.errors import Reason, UpstreamError


class Answer(BaseModel):
    """Base of what we read from a service; keys we do not know are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Wanted = TypeVar("Wanted")


def read(wanted: type[Wanted], data: Any, *, part: str) -> Wanted:
    """Return ``data`` as ``wanted``.

    Raises:
        UpstreamError: reason ``bad_answer``, naming the part and the first thing out of place.
    """
    try:
        return TypeAdapter(wanted).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise UpstreamError(
            f"{part} answered something unexpected at {where or 'the top'}: {first['msg']}",
            reason=Reason.BAD_ANSWER,
        ) from None


def field(data: Any, name: str, *, part: str) -> Any:
    """Return ``data[name]``; raise UpstreamError when ``data`` is not an object that has it."""
    if not isinstance(data, dict) or name not in data:
        raise UpstreamError(
            f"{part} answered without {name!r}; is it another version?", reason=Reason.BAD_ANSWER
        )
    return data[name]
