"""E-mail through an SMTP server."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from alerting.notifiers import email_message
from alerting.notifiers.notifier import Message, NotDelivered, ReceiverSettings
from watchkeeper.configuration import DurationSeconds, Secret
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.outbound import EgressPolicy, IPAddress, check_host


class Options(ReceiverSettings):
    """A mail server and whom to write to."""

    kind: Literal["email"]
    host: str
    port: int = Field(default=587, ge=1, le=65535)
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: Secret | None = None
    sender: str
    to: tuple[str, ...] = Field(min_length=1)
    timeout_seconds: DurationSeconds = Field(default=15.0, gt=0, le=20, alias="timeout")


@dataclass(frozen=True, slots=True)
class Email:
    """Sends one message a delivery; the server's acceptance confirms it."""

    options: Options
    policy: EgressPolicy
    pace_seconds: ClassVar[float] = 0.2
    at_once: ClassVar[int] = 2
    takes_chart: ClassVar[bool] = True

    def send(self, message: Message, *, now: datetime) -> None:
        """Hand the message to the server; raise NotDelivered unless it took it for everyone."""
        mail = compose(message, self.options, now=now)
        try:
            address = check_host(self.options.host, self.options.port, self.policy)
            with _connect(self.options, address) as server:
                if self.options.username and self.options.password:
                    server.login(self.options.username, self.options.password.reveal())
                refused = server.send_message(mail)
        except UpstreamError as error:
            raise NotDelivered(str(error), reason=error.reason) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _text in error.recipients.values()]
            raise _refusal(f"every recipient was refused: {codes}", min(codes)) from None
        except smtplib.SMTPResponseException as error:
            text = f"answered {error.smtp_code}: {_text(error.smtp_error)}"
            raise _refusal(text, error.smtp_code) from None
        except (smtplib.SMTPException, OSError) as error:
            text = f"{self.options.host}: {type(error).__name__}: {error}"
            raise NotDelivered(text, reason=Reason.CONNECTION) from None
        if refused:
            # The others have it, and sending again would tell them twice: shown, not repeated.
            names = ", ".join(sorted(refused))
            raise NotDelivered(
                f"taken, but not for {names}", reason=Reason.BAD_ANSWER, is_permanent=True
            )


def compose(message: Message, options: Options, *, now: datetime) -> EmailMessage:
    """Return the mail: text and HTML, threaded by incident, its id that of the delivery."""
    domain = options.sender.rpartition("@")[2] or "watchkeeper.invalid"
    mail = EmailMessage()
    mail["Subject"] = email_message.subject(message)
    mail["From"] = options.sender
    mail["To"] = ", ".join(options.to)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message.delivery_id}@{domain}>"
    thread = f"<{message.incident['id']}@{domain}>"
    mail["References"] = thread
    mail["In-Reply-To"] = thread
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation answers
    mail.set_content(email_message.text(message))
    mail.add_alternative(email_message.html(message), subtype="html")
    if message.chart:
        shown = mail.get_body(("html",))
        assert isinstance(shown, EmailMessage)  # noqa: S101  # narrows: it was added a line above
        shown.add_related(
            message.chart, "image", "png", cid=f"<{email_message.CHART_ID}>", filename="chart.png"
        )
    return mail


def _connect(options: Options, address: IPAddress) -> smtplib.SMTP:
    # Connected to the address that was checked; the certificate must be the host's all the same.
    context = ssl.create_default_context()
    if options.encryption == "tls":
        return _CheckedTls(options, address, context)
    server = _Checked(options, address)
    if options.encryption == "starttls":
        server.starttls(context=context)
    return server


class _Checked(smtplib.SMTP):
    def __init__(self, options: Options, address: IPAddress) -> None:
        self._address = address
        super().__init__(options.host, options.port, timeout=options.timeout_seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002  # smtplib's hook
        return socket.create_connection((str(self._address), port), timeout)


class _CheckedTls(smtplib.SMTP_SSL):
    def __init__(self, options: Options, address: IPAddress, context: ssl.SSLContext) -> None:
        self._address = address
        super().__init__(
            options.host, options.port, timeout=options.timeout_seconds, context=context
        )

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((str(self._address), port), timeout)
        return self.context.wrap_socket(plain, server_hostname=host)


def _refusal(text: str, code: int) -> NotDelivered:
    """SMTP's 4xx mean "try again", its 5xx mean "never" (RFC 5321, 4.2.1)."""
    return NotDelivered(text, reason=Reason.HTTP_STATUS, is_permanent=code >= 500)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def build(options: Options, policy: EgressPolicy) -> Email:
    """Return the notifier of an e-mail receiver."""
    return Email(options, policy)
