"""What each endpoint of alerting asks of whoever calls it."""

from __future__ import annotations

from watchkeeper.roles import Role

ROLES: dict[tuple[str, str], Role] = {
    ("GET", "/api/openapi.json"): Role.VIEWER,
    ("GET", "/api/v2/alerts"): Role.VIEWER,
    ("GET", "/api/v2/alerts/groups"): Role.VIEWER,
    ("GET", "/api/v2/silences"): Role.VIEWER,
    ("GET", "/api/v2/silence/<silence_id>"): Role.VIEWER,
    ("GET", "/api/v2/status"): Role.VIEWER,
    ("GET", "/api/v2/receivers"): Role.VIEWER,
    ("GET", "/api/v1/incidents"): Role.VIEWER,
    ("GET", "/api/v1/incidents/<incident_id>"): Role.VIEWER,
    ("GET", "/api/v1/actions"): Role.VIEWER,
    ("GET", "/api/v1/deliveries"): Role.VIEWER,
    ("GET", "/api/v1/audit"): Role.VIEWER,
    ("GET", "/api/v1/audit/verification"): Role.VIEWER,
    ("GET", "/api/v1/rules"): Role.VIEWER,
    ("GET", "/api/v1/status"): Role.VIEWER,
    ("POST", "/api/v2/alerts"): Role.OPERATOR,
    ("POST", "/api/v1/webhooks/alertmanager"): Role.OPERATOR,
    ("POST", "/api/v2/silences"): Role.OPERATOR,
    ("DELETE", "/api/v2/silence/<silence_id>"): Role.OPERATOR,
    ("POST", "/api/v1/incidents/<incident_id>/acknowledge"): Role.OPERATOR,
    ("POST", "/api/v1/incidents/<incident_id>/owner"): Role.OPERATOR,
    ("POST", "/api/v1/incidents/<incident_id>/notes"): Role.OPERATOR,
    ("POST", "/api/v1/incidents/<incident_id>/not-a-problem"): Role.OPERATOR,
    ("POST", "/api/v1/incidents/<incident_id>/silence"): Role.OPERATOR,
    ("POST", "/api/v1/actions/<key>/<decision>"): Role.OPERATOR,
    ("POST", "/api/v1/deliveries/<delivery_id>/replay"): Role.OPERATOR,
    ("POST", "/api/v1/deliveries/replay"): Role.OPERATOR,
    ("POST", "/api/v1/pause"): Role.OPERATOR,
    ("POST", "/api/v1/resume"): Role.OPERATOR,
    ("POST", "/api/v1/rules/<name>/mode"): Role.ADMIN,
}
"""By method and rule; a test holds that it names every endpoint and no other."""
