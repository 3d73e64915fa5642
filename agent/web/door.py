"""Who is let in."""

from __future__ import annotations

from agent.web.request import Request
from agent.web.response import Response, error_response
from watchkeeper.admission import refusal


def refused(request: Request, token: str | None) -> Response | None:
    """Return what a request that is not let in is answered; None when it is let in.

    Args:
        request: what was asked.
        token: the bearer token asked of everyone who wants more than health; None on loopback.
    """
    found = refusal(
        request.path,
        host=request.header("host"),
        authorization=request.header("authorization"),
        origin=request.header("origin"),
        token=token,
    )
    if found is None:
        return None
    return error_response(found.status, found.reason, found.message)
