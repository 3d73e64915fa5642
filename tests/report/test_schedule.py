"""The daily report is sent once a day, whatever happens to the console meanwhile."""

import email
import email.policy
import socketserver
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.report.forecast import slope_of
from dashboards.report.report import Report
from dashboards.report.schedule import LATE, Schedule, due
from dashboards.report.settings import ReportSettings
from watchkeeper.clock import ManualClock
from watchkeeper.errors import UpstreamError

SEVEN = datetime(2026, 3, 4, 7, 0, tzinfo=UTC)


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every mail, as RFC 5321 has it."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.mails = []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            word = line.split(" ")[0].upper()
            if word == "DATA":
                self.say("354 go on")
                self.server.mails.append(self.body())
            self.say("221 bye" if word == "QUIT" else "250 ok")
            if word == "QUIT":
                return

    def body(self):
        taken = []
        while (line := self.rfile.readline()) != b".\r\n":
            taken.append(line)
        return email.message_from_bytes(b"".join(taken), policy=email.policy.default)

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def server():
    server = MailServer()
    yield server
    server.shutdown()
    server.server_close()


def settings(port=25, **changes):
    mail = {
        "host": "127.0.0.1", "port": port, "encryption": "none", "sender": "w@example.com",
        "to": ["team@example.com"], "timeout": "2s",
    }  # fmt: skip
    return ReportSettings.model_validate({"at": "07:00", "mail": mail} | changes)


def schedule(port, directory, now):
    return Schedule(lambda: settings(port), Report, directory=directory, clock=ManualClock(now))


def test_the_report_is_sent_when_it_is_due_in_words_and_as_a_page(server, tmp_path):
    assert schedule(server.server_address[1], tmp_path, SEVEN).look()
    [mail] = server.mails
    assert mail["To"] == "team@example.com"
    assert mail["Subject"].startswith("Report of 2026-03-04: 0 incidents")
    kinds = [part.get_content_type() for part in mail.walk()]
    assert {"text/plain", "text/html"} <= set(kinds)


def test_it_is_sent_once_even_by_a_console_that_was_restarted(server, tmp_path):
    port = server.server_address[1]
    assert schedule(port, tmp_path, SEVEN).look()
    assert not schedule(port, tmp_path, SEVEN + timedelta(minutes=1)).look()
    assert schedule(port, tmp_path, SEVEN + timedelta(days=1)).look()
    assert len(server.mails) == 2


def test_one_the_mail_server_did_not_take_stays_due(server, tmp_path):
    port = server.server_address[1]
    server.shutdown()
    server.server_close()
    with pytest.raises(UpstreamError):
        schedule(port, tmp_path, SEVEN).look()
    assert not (tmp_path / "report-sent").exists()


@pytest.mark.parametrize(
    ("after", "is_due"),
    [
        (timedelta(seconds=-1), False),
        (timedelta(0), True),
        (LATE - timedelta(seconds=1), True),
        (LATE, False),
    ],
)
def test_it_is_due_from_its_time_on_and_not_for_ever(after, is_due):
    assert (due(SEVEN + after, None, settings()) is not None) == is_due


def test_the_time_is_that_of_its_zone_in_summer_too():
    vienna = settings(zone="Europe/Vienna")
    assert due(datetime(2026, 7, 1, 5, 0, tzinfo=UTC), None, vienna) == date(2026, 7, 1)
    assert due(datetime(2026, 1, 1, 5, 59, tzinfo=UTC), None, vienna) is None


@given(st.integers(0, 10_000), st.integers(1, 400))
def test_no_day_is_sent_twice_however_often_one_looks(minute, looks):
    last, sent = None, []
    for look in range(looks):
        now = SEVEN + timedelta(minutes=minute + 7 * look)
        day = due(now, last, settings())
        if day:
            sent.append(day)
            last = day
    assert len(sent) == len(set(sent))


@given(
    st.floats(1e-9, 1e-3),
    st.lists(st.floats(-0.4, 0.4), min_size=40, max_size=80),
)
def test_a_steady_growth_is_found_through_noise(slope, noise):
    times = [60.0 * at for at in range(len(noise))]
    size = slope * 60
    values = [slope * t + size * n for t, n in zip(times, noise, strict=True)]
    found = slope_of(times, values)
    assert found is not None
    assert abs(found - slope) < 0.1 * slope


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=24, max_size=60))
def test_what_goes_up_and_down_has_no_forecast(values):
    assert slope_of([float(at) for at in range(len(values))], values) is None
