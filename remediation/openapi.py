"""What the endpoint's HTTP API takes and gives, told in OpenAPI 3.1."""

from __future__ import annotations

from functools import cache
from typing import Any

from remediation.actuators import ACTUATORS
from remediation.ledger import State
from remediation.refusal import Outcome
from watchkeeper import openapi
from watchkeeper.openapi import (
    ANYTHING,
    CONFIGURATION,
    COUNT,
    FLAG,
    TEXT,
    TIME,
    Endpoint,
    Operation,
    Schema,
    asked,
    list_of,
    one_of,
    optional,
    ref,
    whole,
)

_WORD: Schema = {"type": "string", "minLength": 1, "maxLength": 200}
_TOKEN: Schema = {"type": "integer", "minimum": 0, "maximum": (1 << 63) - 1}

SCHEMAS: dict[str, Schema] = {
    "Call": asked(
        {"type": {"const": "remediation.action"}, "data": ref("Action")},
        timestamp=TIME,
    ),
    "Action": asked(
        {
            "action": one_of(ACTUATORS),
            "target": _WORD,
            "idempotency_key": _WORD,
            "fencing_token": _TOKEN,
            "expires_at": TIME,
        },
        parameters=ANYTHING, incident=ANYTHING, dry_run=FLAG, revert=FLAG,
    ),
    "Entry": whole(
        idempotency_key=TEXT, action=TEXT, target=TEXT, parameters=ANYTHING, dry_run=FLAG,
        revert=FLAG, fencing_token=COUNT, expires_at=TIME, state=one_of(State), accepted_at=TIME,
        finished_at=optional(TIME), summary=TEXT, detail=ANYTHING, error=TEXT, progress=TEXT,
    ),
    "Return": whole(
        action=TEXT, target=TEXT, parameters=ANYTHING, state=ANYTHING, made_by=TEXT,
        fencing_token=COUNT, due_at=TIME,
    ),
    "Refusal": whole(error=whole(reason=one_of(Outcome), message=TEXT)),
}  # fmt: skip

OPERATIONS: dict[Endpoint, Operation] = {
    ("GET", "/api/openapi.json"): Operation("Return this description.", ANYTHING),
    **CONFIGURATION,
    ("POST", "/api/v1/actions"): Operation(
        "Take a call; answered when it is on disk, and carried out afterwards, at most once a key.",
        whole(idempotency_key=TEXT, state=one_of(State)),
        takes=ref("Call"),
        refusals=(409, 413, 422),
        status=202,
        is_signed=True,
    ),
    ("GET", "/api/v1/actions"): Operation(
        "List the calls taken last, newest first.", whole(actions=list_of(ref("Entry")))
    ),
    ("GET", "/api/v1/actions/<key>"): Operation(
        "Say what became of a call.", ref("Entry"), refusals=(404,)
    ),
    ("GET", "/api/v1/returns"): Operation(
        "List what was changed for a time and is to be put back.",
        whole(returns=list_of(ref("Return"))),
    ),
}


@cache
def document() -> dict[str, Any]:
    """Return the description of the whole API."""
    return openapi.document(
        "Watchkeeper remediation endpoint",
        "Signed calls in; actions done at most once each, with what came of them.",
        OPERATIONS,
        SCHEMAS,
    )
