from watchkeeper.supervisor.logfile import LogFile


def test_a_log_that_has_grown_is_moved_aside_while_its_writer_goes_on(tmp_path):
    log = LogFile(tmp_path / "logs" / "web.log", max_bytes=10)
    with log.open() as writer:
        writer.write(b"more than ten bytes\n")
        log.cap()
        writer.write(b"next\n")
    assert log.path.read_bytes() == b"next\n"
    assert (tmp_path / "logs" / "web.log.1").read_bytes() == b"more than ten bytes\n"


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
