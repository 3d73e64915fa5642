"""A report sent by e-mail.

Not through alerting: a report is no incident, so nothing of it is grouped, silenced or escalated,
and one that could not be sent is written anew tomorrow from the same data; it needs no outbox.
"""

from __future__ import annotations

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from dashboards.report import rendering
from dashboards.report.report import Report
from dashboards.report.settings import MailSettings
from watchkeeper.errors import Reason, UpstreamError


def compose(report: Report, mail: MailSettings, *, now: datetime, console_url: str) -> EmailMessage:
    """Return the mail: plain words, and the same HTML as the file."""
    message = EmailMessage()
    message["Subject"] = f"Report of {report.period.end:%Y-%m-%d}: {report.health}"
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=mail.sender.rpartition("@")[2] or None)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation answers
    message.set_content(rendering.text(report))
    message.add_alternative(rendering.html(report, console_url=console_url), subtype="html")
    return message


def send(message: EmailMessage, mail: MailSettings) -> None:
    """Hand the mail to its server; raise UpstreamError unless it took it for everyone."""
    try:
        with _connect(mail) as server:
            if mail.username and mail.password:
                server.login(mail.username, mail.password.reveal())
            refused = server.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        raise UpstreamError(
            f"{mail.host}:{mail.port} did not take the report: {type(error).__name__}: {error}",
            reason=Reason.CONNECTION,
        ) from None
    if refused:
        names = ", ".join(sorted(refused))
        raise UpstreamError(f"the report was not taken for {names}", reason=Reason.BAD_ANSWER)


def _connect(mail: MailSettings) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if mail.encryption == "tls":
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=mail.timeout_seconds, context=context)
    server = smtplib.SMTP(mail.host, mail.port, timeout=mail.timeout_seconds)
    if mail.encryption == "starttls":
        server.starttls(context=context)
    return server
