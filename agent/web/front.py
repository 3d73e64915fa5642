"""Where connections come in: TLS is agreed on, and who may not ask is told so."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from agent.family import Family, single
from agent.web.configuration import WebConfiguration, read_web_configuration
from agent.web.connection import Answer
from agent.web.door import Door
from agent.web.request import Request
from agent.web.response import Response
from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.clock import Clock
from watchkeeper.listen import Listen, require_guarded
from watchkeeper.watched import Watched


class Front:
    """Takes connections according to the web configuration in force.

    Args:
        answer: answers those who are let in.
        web_config: the web configuration file, if there is one; read again when it, or a file it
            names, changes.
        token: the bearer token of all our services; None where there is none.
        listen: the address that will be served.
        clock: tells when the file was read.

    Raises:
        ConfigError: the file cannot be used, or the address reaches other machines and nobody
            would be asked who they are.
    """

    def __init__(
        self,
        answer: Answer,
        web_config: Path | None,
        token: str | None,
        listen: Listen,
        clock: Clock,
    ) -> None:
        self._answer = answer
        self._door = Door(token)
        self._clock = clock
        self._watched: Watched[WebConfiguration] | None = None
        if web_config is not None:
            self._watched = Watched(
                web_config,
                partial(_read_guarded, listen=listen, token=token),
                leans_on=lambda web: web.files,
            )
            self._read_at: datetime = clock.now()
        else:
            require_guarded(listen, token)

    @property
    def web(self) -> WebConfiguration:
        """The configuration in force."""
        return _OPEN if self._watched is None else self._watched.current

    @property
    def scheme(self) -> str:
        """``https`` or ``http``."""
        return "https" if self.web.context else "http"

    def look_around(self) -> None:
        """Take up a changed file, certificate or key; call it every second or so.

        One that cannot be used leaves those in force, and shows in ``families``.
        """
        if self._watched is not None and self._watched.reload_if_changed():
            self._read_at = self._clock.now()

    def families(self) -> Iterator[Family]:
        """Yield what is told of the configuration file."""
        if self._watched is not None:
            file = (self._watched.path.name,)
            yield single(own.CONFIG_RELOAD_OK, int(self._watched.problem is None), file)
            yield single(own.CONFIG_RELOAD_TIME, self._read_at.timestamp(), file)

    def welcome(self, stream: socket.socket) -> tuple[socket.socket, Answer]:
        """Return what to talk over and how to answer; raise OSError to turn a client away."""
        web = self.web
        if web.context is None:
            return stream, partial(self._answer_to, is_known=False)
        secured = web.context.wrap_socket(stream, server_side=True)
        certificate = secured.getpeercert()
        is_known = bool(certificate)
        if web.allowed_names and web.allowed_names.isdisjoint(names_of(certificate or {})):
            secured.close()
            raise PermissionError("the certificate is for another name")
        return secured, partial(self._answer_to, is_known=is_known)

    def _answer_to(self, request: Request, *, is_known: bool) -> Response:
        web = self.web
        response = self._door.refused(request, web, is_known=is_known) or self._answer(request)
        return response._replace(headers=response.headers + web.headers)


_OPEN = WebConfiguration()


def _read_guarded(path: Path, *, listen: Listen, token: str | None) -> WebConfiguration:
    web = read_web_configuration(path)
    if not web.asks_who:
        require_guarded(listen, token)
    return web


def names_of(certificate: Mapping[str, Any]) -> Iterator[str]:
    """Yield the subject alternative names of a certificate as ``getpeercert`` returns it."""
    for _kind, name in certificate.get("subjectAltName", ()):
        yield name
