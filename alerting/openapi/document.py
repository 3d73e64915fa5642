"""Puts the OpenAPI document together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from alerting.access import ROLES
from alerting.openapi.operations import OPERATIONS, Operation
from alerting.openapi.schemas import SCHEMAS, TEXT, ref
from watchkeeper import __version__
from watchkeeper.roles import Role

_PLACE = re.compile(r"<(?P<name>\w+)>")

_REFUSALS = {
    400: "The request is malformed; the message says what was expected.",
    401: "No token, or none that is valid.",
    403: "The token's role is not enough.",
    404: "There is none of this name.",
    409: "It was understood and cannot be done; the message says why.",
    429: "This caller has asked too often; Retry-After says when to ask again.",
    503: "The database cannot be used, or too many requests are waiting; nothing was kept.",
}


@cache
def document() -> dict[str, Any]:
    """Return the description of the whole API."""
    paths: dict[str, dict[str, Any]] = {}
    for (method, rule), operation in OPERATIONS.items():
        path = _PLACE.sub(r"{\g<name>}", rule)
        paths.setdefault(path, {})[method.lower()] = _operation(
            method, rule, operation, ROLES[method, rule]
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Watchkeeper alerting",
            "version": __version__,
            "description": "Alerts in; incidents, messages and actions out. What lies under "
            "/api/v2 is Alertmanager's API, so that its clients work here.",
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # Without a token on loopback, with one elsewhere.
        "security": [{}, {"token": []}],
    }


def _operation(method: str, rule: str, operation: Operation, role: Role) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": f"{method.lower()}{re.sub(r'[^a-z0-9]+', '_', rule.lower()).rstrip('_')}",
        "summary": operation.summary,
        "description": f"Needs the role {role}.",
        "parameters": [*_places(rule), *_questions(operation.parameters)],
        "responses": _responses(operation),
    }
    if operation.takes is not None:
        content = {"application/json": {"schema": operation.takes}}
        found["requestBody"] = {"required": operation.must_have_body, "content": content}
    return found


def _places(rule: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {**TEXT, "minLength": 1}}
        for name in _PLACE.findall(rule)
    ]


def _questions(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "schema": schema} for name, schema in parameters.items()]


def _responses(operation: Operation) -> dict[str, Any]:
    gives = operation.gives or {"type": "object"}
    refused = (400, 401, 403, *operation.refusals, 429, 503)
    return {
        "200": _answer("Done.", gives),
        **{str(status): _answer(_REFUSALS[status], ref("Error")) for status in refused},
    }


def _answer(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
