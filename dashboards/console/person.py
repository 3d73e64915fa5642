"""Who is at the browser: the name of their token, or what they last called themselves."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request
from werkzeug.wrappers import Response as WerkzeugResponse

from watchkeeper.roles import Role
from watchkeeper.serving import asker

COOKIE = "watchkeeper-name"
LIFETIME = timedelta(days=90)
LETTERS = 100


def name() -> str:
    """Return the name to put under a deed; empty when nobody has said one yet."""
    identity = asker()
    return identity.name if identity.is_person else request.cookies.get(COOKIE, "")[:LETTERS]


def is_known() -> bool:
    """Return whether the name is a token's, so that nobody need say it."""
    return asker().is_person


def may(needed: Role) -> bool:
    """Return whether who is asking may do what needs ``needed``."""
    return asker().role.includes(needed)


def said() -> str:
    """Return the name a form gives, unless the token says better."""
    return name() if is_known() else request.form.get("by", "").strip()[:LETTERS]


def signature(by: str) -> dict[str, str]:
    """Return what alerting is told of who does this, and whether we know that it is they."""
    return {"by": by, "by_is": "session"} if is_known() else {"by": by}


def remember(answer: Response | WerkzeugResponse) -> None:
    """Let the browser keep the name a form gave, so that it is written once."""
    if not is_known() and said():
        answer.set_cookie(
            COOKIE,
            said(),
            max_age=LIFETIME,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
