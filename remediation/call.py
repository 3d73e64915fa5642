"""A call for an action, as it arrives in the body of a webhook."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from remediation.refusal import unacceptable

Word = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(BaseModel):
    # Keys we do not know are passed over: the sender may be newer. What is to be done is not in
    # them: unknown *parameters* are refused by the actuator.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Call(_Part):
    """What is asked for.

    Attributes:
        idempotency_key: the same for every attempt at one dispatch; done at most once.
        fencing_token: grows with every dispatch; one older than the newest seen is refused.
        expires_at: after this it must not be begun any more.
        dry_run: say what would be done, and do nothing.
        revert: put back now what an earlier call of this action changed for a time.
    """

    action: Word
    target: Word
    parameters: dict[str, Any] = Field(default_factory=dict)
    incident: dict[str, Any] = Field(default_factory=dict)
    idempotency_key: Word
    fencing_token: Annotated[int, Field(ge=0, lt=1 << 63)]
    expires_at: AwareDatetime
    dry_run: bool = False
    revert: bool = False


class _Envelope(_Part):
    type: Literal["remediation.action"]
    data: Call


def parse(body: bytes) -> Call:
    """Return the call in ``body``; raise CallRefused (422) naming what was expected where."""
    try:
        return _Envelope.model_validate_json(body).data
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise unacceptable(f"{where}: {first['msg']}") from None
