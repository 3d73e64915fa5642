"""E-mail, handed to a real SMTP conversation on loopback."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.notifiers.email import Options, build, compose
from alerting.notifiers.email_message import html, subject, text
from alerting.notifiers.notifier import NotDelivered
from tests.alerting.desk import START
from tests.alerting.samples import ONE_ACTION, message, one_alert
from watchkeeper.outbound import EgressPolicy

LOOPBACK = EgressPolicy.parse(["127.0.0.0/8"])


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks enough SMTP (RFC 5321); ``replies`` changes the answer to a command."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.replies: dict[str, str] = {}
        self.mails: list[str] = []


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(maxsplit=1)[0].upper()
            reply = next(
                (
                    r
                    for start, r in self.server.replies.items()
                    if line.upper().startswith(start.upper())
                ),
                "",
            )
            if not reply and verb == "DATA":
                self._say("354 go on")
                self.server.mails.append(self._read_mail())
                reply = "250 taken"
            self._say(reply or {"EHLO": "250 hello", "QUIT": "221 bye"}.get(verb, "250 ok"))
            if verb == "QUIT":
                return

    def _read_mail(self) -> str:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        return b"".join(lines).decode()

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def options(port: int = 25, **changes: object) -> Options:
    given_ = {
        "name": "mail", "kind": "email", "host": "127.0.0.1", "port": port, "encryption": "none",
        "sender": "watch@example.org", "to": ["team@example.org", "boss@example.org"],
    }  # fmt: skip
    return Options.model_validate({**given_, **changes})


def send(server: MailServer, **changes: object) -> None:
    notifier = build(options(server.server_address[1], **changes), LOOPBACK)
    notifier.send(message(alerts=one_alert(summary="x")), now=START)


def test_a_mail_is_text_and_html_and_threaded_by_incident(server):
    send(server)
    [raw] = server.mails
    mail = email.message_from_string(raw, policy=email.policy.default)
    assert mail["Subject"] == "[shop] 🔴 critical: Worker dead"
    assert mail["Message-ID"] == "<msg_1@example.org>"
    assert mail["References"] == "<inc-1@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert {part.get_content_type() for part in mail.iter_parts()} == {"text/plain", "text/html"}


@pytest.mark.parametrize(
    ("command", "reply", "is_permanent"),
    [
        ("MAIL", "451 later", False),
        ("MAIL", "550 never", True),
        ("RCPT", "450 busy", False),
        ("RCPT", "550 no such user", True),
        ("DATA", "452 full", False),
    ],
)
def test_the_servers_4xx_are_tried_again_and_its_5xx_are_not(server, command, reply, is_permanent):
    server.replies[command] = reply
    with pytest.raises(NotDelivered) as caught:
        send(server)
    assert caught.value.is_permanent is is_permanent


def test_when_one_of_two_is_refused_nobody_is_told_twice_and_it_shows(server):
    server.replies["rcpt TO:<boss@example.org>"] = "550 no such user"
    with pytest.raises(NotDelivered, match=r"not for boss@example\.org") as caught:
        send(server)
    assert caught.value.is_permanent
    assert len(server.mails) == 1


def test_a_server_without_the_wanted_encryption_gets_nothing(server):
    with pytest.raises(NotDelivered):
        send(server, encryption="starttls")
    assert server.mails == []


def test_a_private_server_must_be_allowed():
    with pytest.raises(NotDelivered, match="not a public address"):
        build(options(), EgressPolicy()).send(message(), now=START)


def test_it_says_what_was_done_and_how_it_differs_in_both_forms():
    told = message(
        alerts=one_alert(summary="Slow", actual="412 ms", expected="160 ms"), actions=ONE_ACTION
    )
    for form in (text(told), html(told)):
        assert "now 412 ms, expected 160 ms" in form
        assert "restart-service on worker (auto): worked" in form
        assert "http://console.example/incidents/inc-1" in form


def test_words_from_alerts_are_never_markup():
    told = message(title="<script>x</script>", alerts=one_alert(summary="<img src=x>"))
    assert "<script>" not in html(told)
    assert "<img" not in html(told)


@given(title=st.text(max_size=300), service=st.text(max_size=80))
def test_no_title_or_service_can_add_a_header(title, service):
    mail = compose(message(title=title, service=service), options(), now=START)
    raw = mail.as_bytes(policy=email.policy.SMTP)
    head = email.message_from_bytes(raw, policy=email.policy.default)
    assert set(head.keys()) <= {
        "Subject", "From", "To", "Date", "Message-ID", "References", "In-Reply-To",
        "Auto-Submitted", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert "\n" not in subject(message(title=title, service=service))


def test_a_chart_stands_in_the_mail_where_the_page_shows_it():
    options = Options.model_validate(
        {"name": "m", "kind": "email", "host": "h", "sender": "wk@example.com", "to": ["a@b.c"]}
    )
    plain = compose(message("opened"), options, now=START)
    mail = compose(replace(message("opened"), chart=b"PNG"), options, now=START)
    [picture] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<chart@watchkeeper>"
    assert picture.get_payload(decode=True) == b"PNG"
    assert 'src="cid:chart@watchkeeper"' in mail.get_body(("html",)).get_content()
    assert "cid:" not in plain.get_body(("html",)).get_content()
