"""Who is let in."""

from __future__ import annotations

from collections.abc import Mapping

from agent.web.configuration import WebConfiguration
from agent.web.passwords import Passwords, parse_basic
from agent.web.request import Request
from agent.web.response import Response, error_response
from watchkeeper.admission import OPEN_PATHS, refusal

ASK_FOR_PASSWORD = ("WWW-Authenticate", 'Basic realm="agent", charset="UTF-8"')
ASK_FOR_TOKEN = ("WWW-Authenticate", "Bearer")


class Door:
    """Lets in who has the token, a password or a certificate, whichever are asked for.

    Args:
        token: the bearer token of all our services; None where there is none.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._passwords = Passwords()

    def refused(
        self, request: Request, web: WebConfiguration, *, is_known: bool
    ) -> Response | None:
        """Return what a request that is not let in is answered; None when it is let in.

        Args:
            request: what was asked.
            web: the configuration in force.
            is_known: whether the client showed a certificate that was verified.
        """
        if request.path in OPEN_PATHS:
            return None
        if web.users:
            return self._without_login(request, web.users)
        if is_known and not self._token:
            return None
        found = refusal(
            request.path,
            host=request.header("host"),
            authorization=request.header("authorization"),
            origin=request.header("origin"),
            token=self._token,
        )
        if found is None:
            return None
        asked = (ASK_FOR_TOKEN,) if found.status == 401 else ()
        return error_response(found.status, found.reason, found.message, asked)

    def _without_login(self, request: Request, users: Mapping[str, str]) -> Response | None:
        """Return the refusal of a request with neither a good login nor the token."""
        login = parse_basic(request.header("authorization"))
        if login is not None:
            if self._passwords.are_good(login, users):
                return None
        elif self._token and not self._lacks_token(request):
            return None
        message = "expected the name and password of a user of the web configuration file"
        return error_response(401, "authentication", message, (ASK_FOR_PASSWORD,))

    def _lacks_token(self, request: Request) -> bool:
        authorization = request.header("authorization")
        return refusal(
            request.path, host="", authorization=authorization, origin="", token=self._token
        ) is not None  # fmt: skip
