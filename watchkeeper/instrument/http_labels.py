"""Labels of HTTP requests, from sets that clients cannot make grow."""

from __future__ import annotations

UNMATCHED = "unmatched"
"""The one ``http_route`` of every request no route matched, so random URLs add no series."""

OTHER_METHOD = "_OTHER"
"""OpenTelemetry's value for a method outside the known ones; clients may send any word."""

KNOWN_METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)

FAILED = "500"
"""What a server answers when the application raises."""


def method_label(method: object) -> str:
    """Return the label of a request's method."""
    known = str(method).upper()
    return known if known in KNOWN_METHODS else OTHER_METHOD
