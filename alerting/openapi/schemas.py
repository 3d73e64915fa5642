"""The shapes of the API: JSON Schema 2020-12, each under one name."""

from __future__ import annotations

from alerting.actions import State as ActionState
from alerting.kill_switch import Kind as PauseKind
from alerting.outbox import State as DeliveryState
from alerting.remediation_rules import Mode
from alerting.timeline import Kind
from watchkeeper.openapi import (
    ANYTHING,
    COUNT,
    FLAG,
    LABELS,
    NUMBER,
    TEXT,
    TIME,
    WORDS,
    Schema,
    asked,
    list_of,
    one_of,
    optional,
    ref,
    whole,
)

EXPRESSION: Schema = {"type": "string", "format": "regex"}
_STORABLE: Schema = {"type": "string", "pattern": r"^[^\x00]*$"}
ANNOTATIONS: Schema = {"type": "object", "additionalProperties": _STORABLE}
LABELS_OF_ALERT: Schema = {
    "type": "object",
    "patternProperties": {r"^[A-Za-z_][A-Za-z0-9_]*$": _STORABLE},
    "additionalProperties": {"const": ""},
    "maxProperties": 64,
    "not": {"additionalProperties": {"const": ""}},
}
"""At least one has a value; an empty one means that the label is not there."""
TIME_OR_EMPTY: Schema = {"anyOf": [TIME, {"const": ""}, {"type": "null"}]}
MATCHER: Schema = {
    "anyOf": [
        {"type": "string", "pattern": r"^[A-Za-z_][A-Za-z0-9_]*!?=([!#-}][ -!#-~]*)?$"},
        {"type": "string", "pattern": r"^[A-Za-z_][A-Za-z0-9_]*(=~|!~)[A-Za-z0-9.|]*$"},
        {"type": "string", "pattern": r'^[A-Za-z_][A-Za-z0-9_]*(=~|!~|!=|=)"[A-Za-z0-9. |-]*"$'},
    ]
}
"""``name="value"``, ``!=``, ``=~`` and ``!~``; of regular expressions only simple ones."""
DURATION: Schema = {
    "anyOf": [
        {"type": "string", "pattern": r"^[1-9][0-9]{0,2}(s|m|h)$"},
        {"type": "number", "exclusiveMinimum": 0, "maximum": 7_776_000},
    ]
}
"""Such as 2h, or seconds; at most 90 days."""

_MATCHER = asked({"name": TEXT, "value": TEXT}, isRegex=FLAG, isEqual=FLAG)

SCHEMAS: dict[str, Schema] = {
    "TimelineEntry": whole(at=TIME, kind=one_of(Kind), text=TEXT, detail=ANYTHING),
    "IncidentAlert": whole(
        fingerprint=TEXT, status=one_of(["firing", "resolved"]), labels=LABELS, annotations=LABELS,
        starts_at=TIME, ends_at=optional(TIME), generator_url=TEXT,
    ),
    "Precedent": whole(
        id=TEXT, title=TEXT, started_at=TIME, resolved_at=TIME, similarity_ratio=NUMBER,
        fixed_by=list_of(TEXT), notes=list_of(TEXT),
    ),
    "Incident": whole(
        id=TEXT, status=one_of(["open", "resolved"]), severity=TEXT, title=TEXT, service=TEXT,
        started_at=TIME, resolved_at=optional(TIME), acknowledged_at=optional(TIME),
        acknowledged_by=TEXT, owner=TEXT, not_a_problem_by=TEXT,
        timeline=list_of(ref("TimelineEntry")), alerts=list_of(ref("IncidentAlert")),
    ),
    "IncidentWithPrecedents": {
        "allOf": [ref("Incident"), whole(similar=list_of(ref("Precedent")))]
    },
    "Action": whole(
        idempotency_key=TEXT, rule=TEXT, action=TEXT, target=TEXT, mode=TEXT, attempt=COUNT,
        incident_id=TEXT, parameters=ANYTHING, endpoint=TEXT, state=one_of(ActionState),
        summary=TEXT, denied_by=list_of(TEXT), fencing_token=optional(COUNT), body=optional(TEXT),
        created_at=TIME, claimed_at=optional(TIME), dispatched_at=optional(TIME),
        expires_at=optional(TIME), completed_at=optional(TIME), finished_at=optional(TIME),
    ),
    "Delivery": whole(
        id=TEXT, receiver=TEXT, event=TEXT, incident_id=TEXT, state=one_of(DeliveryState),
        attempts=COUNT, created_at=TIME, delivered_at=optional(TIME), next_attempt_at=TIME,
        error=optional(TEXT),
    ),
    "AuditEntry": whole(
        seq=COUNT, at=TIME, actor=TEXT, event=TEXT, subject=TEXT, detail=ANYTHING,
        previous_hash=TEXT, hash=TEXT,
    ),
    "Rule": whole(
        name=TEXT, mode=one_of(Mode), configured_mode=one_of(Mode), match=list_of(TEXT),
        action=TEXT, target=TEXT, parameters=ANYTHING, endpoint=TEXT, tell=list_of(TEXT),
        cooldown_seconds=NUMBER, attempts=COUNT, is_verified=FLAG,
        budget=whole(actions=COUNT, window_seconds=NUMBER),
        switched_by=optional(TEXT), switched_at=optional(TIME), reason=optional(TEXT),
        pause=optional(ref("Pause")),
    ),
    "Pause": whole(
        scope=one_of(PauseKind), name=TEXT, reason=TEXT, by=TEXT, since=TIME, until=optional(TIME)
    ),
    "Switch": whole(
        paused=FLAG, reason=optional(TEXT), by=optional(TEXT), since=optional(TIME),
        until=optional(TIME), pauses=list_of(ref("Pause")), in_flight=list_of(ref("Action")),
    ),
    "PostableAlert": asked(
        {"labels": LABELS_OF_ALERT}, annotations=optional(ANNOTATIONS), startsAt=TIME_OR_EMPTY,
        endsAt=TIME_OR_EMPTY, generatorURL=_STORABLE,
    ),
    "GettableAlert": whole(
        labels=LABELS, annotations=LABELS, startsAt=TIME, endsAt=TIME, updatedAt=TIME,
        generatorURL=TEXT, fingerprint=TEXT, receivers=list_of(whole(name=TEXT)),
        status=whole(
            state=one_of(["active", "suppressed"]), silencedBy=list_of(TEXT),
            inhibitedBy=list_of(TEXT), mutedBy=list_of(TEXT),
        ),
    ),
    "AlertGroup": whole(
        labels=LABELS, receiver=whole(name=TEXT), alerts=list_of(ref("GettableAlert"))
    ),
    "PostableSilence": asked(
        {
            "matchers": {**list_of(_MATCHER), "minItems": 1}, "startsAt": TIME, "endsAt": TIME,
            "createdBy": WORDS, "comment": WORDS,
        },
        id=TEXT,
    ),
    "GettableSilence": whole(
        id=TEXT, status=whole(state=one_of(["pending", "active", "expired"])), updatedAt=TIME,
        startsAt=TIME, endsAt=TIME, createdBy=TEXT, comment=TEXT, matchers=list_of(_MATCHER),
    ),
    "AlertmanagerStatus": whole(
        cluster=ANYTHING, versionInfo=ANYTHING, config=whole(original=TEXT), uptime=TIME
    ),
}  # fmt: skip
