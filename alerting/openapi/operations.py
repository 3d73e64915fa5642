"""What can be asked of alerting: one entry for each method and path of ``alerting.access``."""

from __future__ import annotations

from alerting.openapi.schemas import DURATION, EXPRESSION, MATCHER
from alerting.person import Proof
from alerting.remediation_rules import Mode
from alerting.requests import MAX_LIMIT
from watchkeeper.openapi import (
    FLAG,
    TEXT,
    TIME,
    WORDS,
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

_LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 100}
_FILTERS = {"filter": list_of(MATCHER)}
_MUTES = dict.fromkeys(("active", "silenced", "inhibited", "unprocessed"), FLAG)
_ALERT_PARAMETERS = {**_FILTERS, **_MUTES, "receiver": EXPRESSION}
_INCIDENT = ref("IncidentWithPrecedents")

_SCOPES = {"rule": WORDS, "target": WORDS}


_BY_IS = one_of(Proof)


def _by_somebody(required: dict[str, Schema], **optional_ones: Schema) -> Schema:
    return asked({"by": WORDS, **required}, by_is=_BY_IS, **optional_ones)


def _one_scope(body: Schema) -> Schema:
    return {**body, "not": {"required": list(_SCOPES)}, "additionalProperties": False}


OPERATIONS: dict[Endpoint, Operation] = {
    ("GET", "/api/openapi.json"): Operation("Return this description.", {"type": "object"}),
    ("GET", "/api/v2/alerts"): Operation(
        "List firing alerts.", list_of(ref("GettableAlert")), parameters=_ALERT_PARAMETERS
    ),
    ("POST", "/api/v2/alerts"): Operation(
        "Take alerts in; answered when they are on disk.", takes=list_of(ref("PostableAlert"))
    ),
    ("POST", "/api/v1/webhooks/alertmanager"): Operation(
        "Take in what an Alertmanager, or Grafana, sends to its webhook receivers.",
        whole(taken={"type": "integer"}),
        takes=asked({"version": {"enum": ["4", "1"]}, "alerts": list_of(ref("PostableAlert"))}),
    ),
    ("GET", "/api/v2/alerts/groups"): Operation(
        "List firing alerts by group.", list_of(ref("AlertGroup")), parameters=_ALERT_PARAMETERS
    ),
    ("GET", "/api/v2/silences"): Operation(
        "List silences.", list_of(ref("GettableSilence")), parameters=_FILTERS
    ),
    ("POST", "/api/v2/silences"): Operation(
        "Make or change a silence.",
        whole(silenceID=TEXT),
        takes=ref("PostableSilence"),
        refusals=(404,),
    ),
    ("GET", "/api/v2/silence/<silence_id>"): Operation(
        "Show a silence.", ref("GettableSilence"), refusals=(404,)
    ),
    ("DELETE", "/api/v2/silence/<silence_id>"): Operation("End a silence.", refusals=(404,)),
    ("GET", "/api/v2/status"): Operation(
        "Say what runs here, in Alertmanager's words.", ref("AlertmanagerStatus")
    ),
    ("GET", "/api/v2/receivers"): Operation("List receivers.", list_of(whole(name=TEXT))),
    ("GET", "/api/v1/incidents"): Operation(
        "List incidents, newest first.",
        whole(incidents=list_of(ref("Incident"))),
        parameters={"status": one_of(["open", "resolved"]), "limit": _LIMIT},
    ),
    ("GET", "/api/v1/incidents/<incident_id>"): Operation(
        "Show an incident with similar earlier ones.", _INCIDENT, refusals=(404,)
    ),
    ("POST", "/api/v1/incidents/<incident_id>/acknowledge"): Operation(
        "Take the incident; until it resolves, updates wake nobody.",
        _INCIDENT,
        takes=_by_somebody({}, text=TEXT),
        refusals=(404, 409),
    ),
    ("POST", "/api/v1/incidents/<incident_id>/owner"): Operation(
        "Give the incident to somebody.",
        _INCIDENT,
        takes=_by_somebody({"owner": WORDS}),
        refusals=(404,),
    ),
    ("POST", "/api/v1/incidents/<incident_id>/notes"): Operation(
        "Add a note.", _INCIDENT, takes=_by_somebody({"text": WORDS}), refusals=(404,)
    ),
    ("POST", "/api/v1/incidents/<incident_id>/not-a-problem"): Operation(
        "Say that it should not have become an incident.",
        _INCIDENT,
        takes=_by_somebody({}, text=TEXT),
        refusals=(404, 409),
    ),
    ("POST", "/api/v1/incidents/<incident_id>/silence"): Operation(
        "Silence what the incident is made of.",
        _INCIDENT,
        takes=_by_somebody({}, text=TEXT, duration=DURATION),
        refusals=(404, 409),
    ),
    ("GET", "/api/v1/actions"): Operation(
        "List actions, newest first.",
        whole(actions=list_of(ref("Action"))),
        parameters={"limit": _LIMIT},
    ),
    ("POST", "/api/v1/actions/<key>/<decision>"): Operation(
        "Approve or decline a waiting action.",
        ref("Action"),
        takes=_by_somebody({}),
        refusals=(404, 409),
    ),
    ("GET", "/api/v1/deliveries"): Operation(
        "List deliveries, newest first.",
        whole(deliveries=list_of(ref("Delivery"))),
        parameters={"limit": _LIMIT},
    ),
    ("POST", "/api/v1/deliveries/<delivery_id>/replay"): Operation(
        "Give a dead letter another life.",
        whole(id=TEXT, state=TEXT),
        takes=_by_somebody({}),
        refusals=(404,),
    ),
    ("POST", "/api/v1/deliveries/replay"): Operation(
        "Give the dead letters of a range another life.",
        whole(replayed=list_of(TEXT)),
        takes=_by_somebody({}, receiver=TEXT, since=TIME, until=TIME),
    ),
    ("GET", "/api/v1/audit"): Operation(
        "List the audit, newest first.",
        whole(audit=list_of(ref("AuditEntry"))),
        parameters={"limit": _LIMIT},
    ),
    ("GET", "/api/v1/audit/verification"): Operation(
        "Say whether the audit's chain holds, and whether it still contains a hash kept elsewhere.",
        whole(
            holds=FLAG,
            first_break=optional(whole(seq={"type": "integer"}, reason=TEXT)),
            newest=optional(whole(seq={"type": "integer"}, at=TIME, hash=TEXT)),
            contains=optional(FLAG),
        ),
        parameters={"contains": TEXT},
    ),
    ("GET", "/api/v1/rules"): Operation(
        "List remediation rules in the file's order.", whole(rules=list_of(ref("Rule")))
    ),
    ("POST", "/api/v1/rules/<name>/mode"): Operation(
        "Switch a rule's mode until the file says something new.",
        ref("Rule"),
        takes=_by_somebody({"mode": one_of(Mode)}, reason=TEXT),
        refusals=(404, 409),
    ),
    ("GET", "/api/v1/status"): Operation("Say how the kill switch stands.", ref("Switch")),
    ("POST", "/api/v1/pause"): Operation(
        "Stop all actions, or those of a rule or on a target, for good or for a duration.",
        ref("Switch"),
        takes=_one_scope(_by_somebody({"reason": WORDS}, duration=DURATION, **_SCOPES)),
        refusals=(404,),
    ),
    ("POST", "/api/v1/resume"): Operation(
        "Let all actions run again, or those of a rule or on a target.",
        ref("Switch"),
        takes=_one_scope(asked({}, by=TEXT, by_is=_BY_IS, reason=TEXT, **_SCOPES)),
        must_have_body=False,
    ),
}
