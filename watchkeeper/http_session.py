"""HTTP to servers the configuration names: no proxies, no redirects, bounded in time and size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from watchkeeper.deadline import HTTPPool, HTTPSPool, body_of, within
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.outbound import Answer


class HTTPSession:
    """Connections that are kept, to one server mostly.

    Args:
        headers: sent with each request.
    """

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self._session = _Session()
        self._session.trust_env = False  # a proxy variable must not redirect what we believe
        self._session.headers.update(headers or {})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter())

    def ask(
        self,
        method: str,
        url: str,
        *,
        name: str,
        timeout_seconds: float,
        limit_bytes: int,
        is_cut: bool = False,
        **request: Any,
    ) -> Answer:
        """Return the whole answer to one request, whatever its status.

        Args:
            name: of the server, for errors.
            timeout_seconds: for connecting and the whole answer; each piece that is sent has as
                long as connecting.
            limit_bytes: of the body once it is decoded; for a moment it is held twice.
            is_cut: a longer body is cut there instead of refused.
            request: ``params``, ``json`` or ``data``, as requests has them.

        Raises:
            UpstreamError: ``timeout``, ``connection``, or ``bad_answer`` for one that is too long
                or cannot be decoded.
        """
        limits: Any = within(timeout_seconds)  # requests' stubs know numbers only
        try:
            with self._session.request(
                method, url, timeout=limits, allow_redirects=False, stream=True,
                **request,
            ) as answer:  # fmt: skip
                body = body_of(answer.raw, limit_bytes if is_cut else limit_bytes + 1)
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise UpstreamError(
                f"{name} did not answer within {timeout_seconds:g} s", reason=Reason.TIMEOUT
            ) from None
        except (
            urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError
        ) as error:  # fmt: skip
            raise _bad(name, f"in another encoding than it said ({type(error).__name__})") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise UpstreamError(
                f"{name} cannot be reached: {type(error).__name__}", reason=Reason.CONNECTION
            ) from None
        if len(body) > limit_bytes:
            raise _bad(name, f"with more than {limit_bytes} bytes")
        headers = {key.lower(): value for key, value in answer.headers.items()}
        return Answer(answer.status_code, headers, body)


def elsewhere(answer: Answer) -> str:
    """Return in words where a redirect points, as far as its host; empty for other answers."""
    location = answer.headers.get("location")
    if location is None:
        return ""
    try:
        host = urlsplit(location).hostname
    except ValueError:
        return " with a Location that is no address"
    return f" with a redirect to {host or 'another path'}"


class _Session(requests.Session):
    def get_redirect_target(self, _answer: requests.Response) -> None:
        """Look for none: requests would read the whole body of one that is not followed."""


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": HTTPPool, "https": HTTPSPool}


def _bad(name: str, what: str) -> UpstreamError:
    return UpstreamError(f"{name} answered {what}", reason=Reason.BAD_ANSWER)
