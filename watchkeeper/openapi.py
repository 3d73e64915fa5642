"""Telling in OpenAPI 3.1 what a service's HTTP API takes and gives.

Every room lists its ``Operation`` by method and rule; tests hold the list against the routes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from watchkeeper import __version__, in_force
from watchkeeper.roles import Role, usual_role

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WORDS: Schema = {"type": "string", "pattern": r"\S"}
"""A text that says something."""
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
LABELS: Schema = {"type": "object", "additionalProperties": TEXT}
ANYTHING: Schema = {"type": "object"}

Endpoint = tuple[str, str]
"""Method and rule, such as ``("GET", "/api/v1/series/<identity>")``."""

OF_EVERY_SERVICE = frozenset({"/metrics", "/healthz", "/readyz", "/static/<path:filename>"})
"""Rules of the HTTP shell that are no part of an API."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call.

    Attributes:
        summary: what it does, in one line.
        gives: the answer when it was done; None for an empty object.
        takes: the body, or None.
        must_have_body: whether the body may be left out.
        parameters: of the query, by name.
        refusals: other statuses it answers beside 400, 401, 403, 429 and 503.
        status: of the answer when it was done.
        is_signed: it asks for a signature beside the role.
    """

    summary: str
    gives: Schema | None = None
    takes: Schema | None = None
    must_have_body: bool = True
    parameters: dict[str, Schema] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()
    status: int = 200
    is_signed: bool = False


def optional(schema: Schema) -> Schema:
    """Return ``schema`` or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(schema: Schema) -> Schema:
    """Return a list of ``schema``."""
    return {"type": "array", "items": schema}


def one_of(words: Any) -> Schema:
    """Return one of the words of an enumeration."""
    return {"type": "string", "enum": [str(word) for word in words]}


def whole(**properties: Schema) -> Schema:
    """Return an object that always has all of ``properties``."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def asked(required: dict[str, Schema], **optional_ones: Schema) -> Schema:
    """Return the body of a request: what it must and what it may hold."""
    properties = {**required, **optional_ones}
    return {"type": "object", "properties": properties, "required": list(required)}


def ref(name: str) -> Schema:
    """Return a reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


CONFIGURATION: dict[Endpoint, Operation] = {
    ("GET", in_force.PATH): Operation("Return the configuration in force, secrets left out.")
}
"""Of every service that follows its file."""

ERROR: Schema = whole(error=whole(reason=TEXT, message=TEXT))

_PLACE = re.compile(r"<(?:[a-z]+:)?(?P<name>\w+)>")

_REFUSALS = {
    400: "The request is malformed; the message says what was expected.",
    401: "No token, or none that is valid.",
    403: "The token's role is not enough.",
    404: "There is none of this name.",
    409: "It was understood and cannot be done; the message says why.",
    413: "The body is too large.",
    422: "It is none of what this service may do; the message says what was expected.",
    429: "This caller has asked too often; Retry-After says when to ask again.",
    503: "The database cannot be used, or too many requests are waiting; nothing was kept.",
}

_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer"},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks 1.0.0, with webhook-id and webhook-timestamp beside it.",
    },
}


def document(
    title: str,
    description: str,
    operations: Mapping[Endpoint, Operation],
    schemas: Mapping[str, Schema],
    *,
    role_of: Callable[[Endpoint], Role] = lambda endpoint: usual_role(endpoint[0]),
) -> dict[str, Any]:
    """Return the description of a whole API; ``role_of`` says what an endpoint asks for."""
    paths: dict[str, dict[str, Any]] = {}
    for (method, rule), operation in operations.items():
        path = _PLACE.sub(r"{\g<name>}", rule)
        told = _operation(method, rule, operation, role_of((method, rule)))
        paths.setdefault(path, {})[method.lower()] = told
    signed = any(operation.is_signed for operation in operations.values())
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": __version__, "description": description},
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Error": ERROR},
            "securitySchemes": {
                name: scheme for name, scheme in _SCHEMES.items() if name == "token" or signed
            },
        },
        # Without a token on loopback, with one elsewhere.
        "security": [{}, {"token": []}],
    }


def endpoints_of(app: Flask) -> set[Endpoint]:
    """Return the endpoints an application has, without those that every service has."""
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule not in OF_EVERY_SERVICE
        for method in _methods(rule.methods)
    }


def _methods(all_of_them: Iterable[str] | None) -> list[str]:
    return [one for one in all_of_them or () if one not in ("HEAD", "OPTIONS")]


def _operation(method: str, rule: str, operation: Operation, role: Role) -> dict[str, Any]:
    needs = f"Needs the role {role}{' and a signature' if operation.is_signed else ''}."
    found: dict[str, Any] = {
        "operationId": f"{method.lower()}{re.sub(r'[^a-z0-9]+', '_', rule.lower()).rstrip('_')}",
        "summary": operation.summary,
        "description": needs,
        "parameters": [*_places(rule), *_questions(operation.parameters)],
        "responses": _responses(operation),
    }
    if operation.is_signed:
        found["security"] = [{"signature": []}, {"signature": [], "token": []}]
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
    refused = sorted({400, 401, 403, *operation.refusals, 429, 503})
    return {
        str(operation.status): _answer("Done.", gives),
        **{str(status): _answer(_REFUSALS[status], ref("Error")) for status in refused},
    }


def _answer(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
