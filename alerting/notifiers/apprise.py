"""Microsoft Teams and a hundred other services, through the apprise library.

The library speaks to each service in its own way and by its own connections: the allow-list of
``egress`` is held for the host its URL names, and not for where that host sends it on.

A URL is a secret as a whole: some services have their token where others have the host. So what
went wrong is said with the name of the service, never with a part of the URL.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from alerting.notifiers import email_message
from alerting.notifiers.notifier import Message, NotDelivered, ReceiverSettings
from watchkeeper.configuration import Secret
from watchkeeper.errors import EgressRefused, NeverSent, Reason
from watchkeeper.outbound import EgressPolicy, check_host

_SERVICE_PORT = 443


class Options(ReceiverSettings):
    """Where to, as one of apprise's URLs (github.com/caronc/apprise/wiki), which is a secret.

    One receiver is one place: several would all be told again while one of them fails.
    """

    kind: Literal["apprise"]
    url: Secret

    @property
    def is_configured(self) -> bool:
        """Whether a URL is set."""
        return bool(self.url)


@dataclass(frozen=True, slots=True)
class Apprise:
    """Hands the plain text of a message to the service of a URL."""

    options: Options
    policy: EgressPolicy
    pace_seconds: ClassVar[float] = 1.0
    at_once: ClassVar[int] = 1
    takes_chart: ClassVar[bool] = False

    def send(self, message: Message, *, now: datetime) -> None:  # noqa: ARG002  # the seam's signature
        """Tell the service; raise NotDelivered when it does not take it."""
        from apprise import Apprise as Library  # noqa: PLC0415  # it loads a hundred plug-ins

        # It logs whole URLs, secrets included, when they are not understood or do not answer.
        logging.getLogger("apprise").propagate = False
        service = Library.instantiate(self.options.url.reveal())
        if service is None:
            raise NotDelivered(
                "its URL is not one that apprise can use", reason=Reason.CONFIG, is_permanent=True
            )
        name = str(service.service_name)
        templates: tuple[str, ...] = service.templates
        if any("{host}" in template for template in templates):
            self._require_allowed(name, str(service.host), int(service.port or _SERVICE_PORT))
        library = Library()
        library.add(service)
        is_taken = library.notify(
            title=email_message.subject(message), body=email_message.text(message)
        )
        if not is_taken:
            raise NotDelivered(f"{name} did not take it", reason=Reason.BAD_ANSWER)

    def _require_allowed(self, name: str, host: str, port: int) -> None:
        """Refuse to tell a service at a host that may not be called."""
        try:
            check_host(host, port, self.policy)
        except EgressRefused as error:
            text = f"{name} is not at a public address; name it in the allow-list if it is meant"
            raise NotDelivered(text, reason=error.reason) from None
        except NeverSent as error:
            if "." not in host:
                return  # a topic or an account where others have their host
            raise NotDelivered(f"the host of {name} is not found", reason=error.reason) from None


def build(options: Options, policy: EgressPolicy) -> Apprise:
    """Return the notifier of an apprise receiver."""
    return Apprise(options, policy)
