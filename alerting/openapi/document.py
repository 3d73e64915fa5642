"""Puts the OpenAPI document together."""

from __future__ import annotations

from functools import cache
from typing import Any

from alerting.access import ROLES
from alerting.openapi.operations import OPERATIONS
from alerting.openapi.schemas import SCHEMAS
from watchkeeper import openapi


@cache
def document() -> dict[str, Any]:
    """Return the description of the whole API."""
    return openapi.document(
        "Watchkeeper alerting",
        "Alerts in; incidents, messages and actions out. What lies under /api/v2 is Alertmanager's "
        "API, so that its clients work here.",
        OPERATIONS,
        SCHEMAS,
        role_of=ROLES.__getitem__,
    )
