import subprocess
from pathlib import Path

from tests.waiting import wait_until
from watchkeeper.supervisor.logfile import LogFile


def test_a_log_that_has_grown_is_moved_aside_while_its_writer_goes_on(tmp_path):
    log = LogFile(tmp_path / "logs" / "web.log", max_bytes=10)
    with log.open() as writer:
        writer.write(b"more than ten bytes\n")
        log.cap()
        writer.write(b"next\n")
    assert log.path.read_bytes() == b"next\n"
    assert (tmp_path / "logs" / "web.log.1").read_bytes() == b"more than ten bytes\n"


def test_of_a_flood_the_end_is_kept_and_no_more_than_twice_the_cap(tmp_path):
    log = LogFile(tmp_path / "web.log", max_bytes=3 << 20)
    with log.open() as writer:
        writer.write(b"early" * (1 << 20))
        writer.write(b"x" * (6 << 20))
    log.cap()
    assert log.path.stat().st_size == 0
    assert (tmp_path / "web.log.1").read_bytes() == b"x" * (6 << 20)


def test_a_log_that_grows_while_it_is_copied_does_not_hold_up_its_copy(tmp_path):
    log = LogFile(tmp_path / "web.log", max_bytes=64 << 10)
    flood = subprocess.Popen(["/usr/bin/yes", "flood"], stdout=log.open())
    try:
        wait_until(lambda: log.path.stat().st_size > log.max_bytes, what="the log is too large")
        log.cap()
        kept = (tmp_path / "web.log.1").stat().st_size
    finally:
        flood.kill()
        flood.wait()
    assert kept <= 2 * log.max_bytes


def test_what_is_written_while_a_log_is_copied_is_copied_too(tmp_path, monkeypatch):
    log = LogFile(tmp_path / "web.log", max_bytes=10)
    with log.open() as writer:
        writer.write(b"twelve bytes")
        opened = Path.open

        def written_to_first(path, mode="r", **options):
            if mode == "rb":
                writer.write(b"late")
            return opened(path, mode, **options)

        monkeypatch.setattr(Path, "open", written_to_first)
        log.cap()
    monkeypatch.undo()
    assert (tmp_path / "web.log.1").read_bytes() == b"twelve byteslate"


def test_a_small_log_stays_whole(tmp_path):
    log = LogFile(tmp_path / "web.log", max_bytes=10)
    with log.open() as writer:
        writer.write(b"short\n")
    log.cap()
    assert log.path.read_bytes() == b"short\n"


def test_what_was_said_last_is_the_message_of_a_json_line(tmp_path):
    log = LogFile(tmp_path / "web.log")
    with log.open() as writer:
        writer.write(b'{"level": "info", "msg": "first"}\n{"msg": "no room left"}\n\n')
    assert log.last_line() == "no room left"


def test_what_was_said_last_is_a_plain_line_as_it_is(tmp_path):
    log = LogFile(tmp_path / "web.log")
    with log.open() as writer:
        writer.write(b"Traceback\nValueError: five\n")
    assert log.last_line() == "ValueError: five"


def test_a_process_that_said_nothing_has_no_last_line(tmp_path):
    assert LogFile(tmp_path / "web.log").last_line() == ""


def test_a_log_that_cannot_be_kept_is_cut_all_the_same_and_says_so(tmp_path):
    log = LogFile(tmp_path / "web.log", max_bytes=10)
    (tmp_path / "web.log.1").mkdir()
    with log.open() as writer:
        writer.write(b"more than ten bytes\n")
    log.cap()
    assert log.path.read_bytes() == b""
    assert "older lines" in log.problem
    assert "web.log.1: Is a directory" in log.problem
