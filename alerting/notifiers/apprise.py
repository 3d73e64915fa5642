"""Microsoft Teams and a hundred other services, through the apprise library.

The library speaks to each service in its own way and by its own connections: the allow-list of
``egress`` is held for the host its URL names, and not for where that host sends it on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from alerting.notifiers import email_message
from alerting.notifiers.notifier import Message, NotDelivered, ReceiverSettings
from watchkeeper.configuration import Secret
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.outbound import EgressPolicy, check_host

_SERVICE_PORT = 443


class Options(ReceiverSettings):
    """Where to, in apprise's URLs (github.com/caronc/apprise/wiki); they hold secrets."""

    kind: Literal["apprise"]
    urls: tuple[Secret, ...] = Field(min_length=1)

    @property
    def is_configured(self) -> bool:
        """Whether every URL is set."""
        return all(self.urls)


@dataclass(frozen=True, slots=True)
class Apprise:
    """Hands the plain text of a message to each service; all of them must take it."""

    options: Options
    policy: EgressPolicy
    pace_seconds: ClassVar[float] = 1.0
    at_once: ClassVar[int] = 1
    takes_chart: ClassVar[bool] = False

    def send(self, message: Message, *, now: datetime) -> None:  # noqa: ARG002  # the seam's signature
        """Tell every service; raise NotDelivered for the first that does not take it."""
        from apprise import Apprise as Library  # noqa: PLC0415  # it loads a hundred plug-ins

        for secret in self.options.urls:
            service = Library.instantiate(secret.reveal(), suppress_exceptions=True)
            if service is None:
                raise NotDelivered(
                    "a URL is not one of apprise's", reason=Reason.CONFIG, is_permanent=True
                )
            self._require_allowed(str(service.host or ""), int(service.port or _SERVICE_PORT))
            library = Library()
            library.add(service)
            is_taken = library.notify(
                title=email_message.subject(message), body=email_message.text(message)
            )
            if not is_taken:
                raise NotDelivered(
                    f"{service.service_name} did not take it", reason=Reason.BAD_ANSWER
                )

    def _require_allowed(self, host: str, port: int) -> None:
        """Refuse a host of the URL that may not be called; services with their own have none."""
        if "." not in host and ":" not in host and host != "localhost":
            return
        try:
            check_host(host, port, self.policy)
        except UpstreamError as error:
            raise NotDelivered(str(error), reason=error.reason) from None


def build(options: Options, policy: EgressPolicy) -> Apprise:
    """Return the notifier of an apprise receiver."""
    return Apprise(options, policy)
