"""Files other programs leave: told of whole or not at all, and each by how it fares."""

import os
from pathlib import Path

import pytest

from agent.collectors.textfile import TextfileCollector
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probes import Page

NOW = 1_700_000_100.0
WRITTEN = 1_700_000_000.0


class Drop:
    """A directory, and the collector that looks into it."""

    def __init__(self, directory, *more):
        self.directory = directory
        self.collector = TextfileCollector(
            directories=[str(directory), *map(str, more)], max_bytes=200, now_seconds=lambda: NOW
        )

    def leave(self, name, text, mtime=WRITTEN):
        path = self.directory / name
        path.write_text(text)
        os.utime(path, (mtime, mtime))
        return str(path)

    def page(self):
        blocks = Renderer().render(list(self.collector.collect()))
        return Page(text_of(blocks, TextFormat.PROMETHEUS))

    def reasons(self):
        return {x["reason"] for x in self.page().labels("watchkeeper_textfile_errors_total")}


@pytest.fixture
def drop(tmp_path):
    return Drop(tmp_path)


def test_a_file_is_told_of_with_its_age(drop):
    file = drop.leave("backup.prom", "# TYPE backup_size_bytes gauge\nbackup_size_bytes 12\n")
    page = drop.page()
    assert page.value("backup_size_bytes") == 12
    assert page.value("node_textfile_mtime_seconds", file=file) == WRITTEN
    assert page.value("watchkeeper_textfile_age_seconds", file=file) == 100
    assert page.value("watchkeeper_textfile_success", file=file) == 1
    assert page.value("node_textfile_scrape_error") == 0


def test_only_prom_files_count(drop):
    drop.leave("backup.prom.tmp", "a 1\n")
    drop.leave("notes.txt", "b 1\n")
    page = drop.page()
    assert page.value("a") is page.value("b") is None
    assert page.value("node_textfile_scrape_error") == 0


def test_a_file_that_changes_is_read_again_and_one_that_goes_is_forgotten(drop):
    file = drop.leave("a.prom", "a 1\n")
    assert drop.page().value("a") == 1
    drop.leave("a.prom", "a 2\n", mtime=WRITTEN + 1)
    assert drop.page().value("a") == 2
    Path(file).unlink()
    page = drop.page()
    assert page.value("a") is None
    assert page.value("watchkeeper_textfile_success", file=file) is None


def test_a_half_written_file_is_told_of_as_it_was_before(drop):
    file = drop.leave("a.prom", "a 1\nb 1\n")
    drop.page()
    drop.leave("a.prom", "a 2\nb 2", mtime=WRITTEN + 1)
    page = drop.page()
    assert page.value("a") == page.value("b") == 1
    assert page.value("node_textfile_mtime_seconds", file=file) == WRITTEN
    assert page.value("watchkeeper_textfile_success", file=file) == 0
    assert page.value("watchkeeper_textfile_errors_total", reason="unfinished") == 1
    drop.leave("a.prom", "a 2\nb 23\n", mtime=WRITTEN + 1)
    page = drop.page()
    assert page.value("b") == 23
    assert page.value("watchkeeper_textfile_success", file=file) == 1


def test_a_half_written_file_that_was_never_whole_is_not_told_of(drop):
    drop.leave("a.prom", "a 1\nb 1")
    page = drop.page()
    assert page.value("a") is None
    assert page.value("node_textfile_scrape_error") == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a 1 1700000000000\n", "timestamps"),
        ("a one\n", "malformed"),
        (f"# {'x' * 200}\na 1\n", "too_large"),
        ("node_load1 1\n", "reserved"),
        ("watchkeeper_ready 1\n", "reserved"),
    ],
)
def test_what_cannot_be_told_of_is_named_by_reason_and_takes_no_other_with_it(drop, text, reason):
    drop.leave("a.prom", "a 0\n")
    drop.page()
    bad = drop.leave("a.prom", text, mtime=WRITTEN + 1)
    drop.leave("good.prom", "good 1\n")
    page = drop.page()
    assert page.value("a") is None
    assert page.value("good") == 1
    assert page.value("watchkeeper_textfile_success", file=bad) == 0
    assert page.value("watchkeeper_textfile_errors_total", file=bad, reason=reason) == 1
    assert page.value("node_textfile_scrape_error") == 1
    again = drop.page()
    assert again.value("watchkeeper_textfile_errors_total", file=bad, reason=reason) == 2


def test_files_may_share_a_metric_but_not_a_series(drop):
    drop.leave("a.prom", '# TYPE jobs gauge\njobs{job="a"} 1\n')
    drop.leave("b.prom", '# TYPE jobs gauge\njobs{job="b"} 2\n')
    assert drop.page().value("jobs", job="b") == 2
    file = drop.leave("c.prom", '# TYPE jobs gauge\njobs{job="a"} 3\nother 1\n')
    page = drop.page()
    assert page.value("jobs", job="a") == 1
    assert page.value("other") is None
    assert page.value("watchkeeper_textfile_errors_total", file=file, reason="conflict") == 1


def test_a_metric_of_two_types_is_told_of_by_the_first_file_only(drop):
    drop.leave("a.prom", "# TYPE jobs gauge\njobs 1\n")
    drop.leave("b.prom", '# TYPE jobs counter\njobs{job="b"} 1\n')
    assert drop.reasons() == {"conflict"}
    assert drop.page().value("jobs") == 1


def test_a_pipe_or_a_directory_in_place_of_a_file_holds_nothing_up(drop):
    os.mkfifo(drop.directory / "pipe.prom")
    (drop.directory / "directory.prom").mkdir()
    drop.leave("a.prom", "a 1\n")
    page = drop.page()
    assert page.value("a") == 1
    assert drop.reasons() == {"unreadable"}


def test_a_directory_that_is_not_there_is_told_and_the_others_are_read(tmp_path):
    drop = Drop(tmp_path, tmp_path / "missing")
    drop.leave("a.prom", "a 1\n")
    page = drop.page()
    assert page.value("a") == 1
    assert page.value("watchkeeper_textfile_success", file=str(tmp_path / "missing")) == 0
    assert page.value("node_textfile_scrape_error") == 1


def test_a_link_is_followed(drop, tmp_path):
    (tmp_path / "elsewhere").write_text("a 1\n")
    (drop.directory / "a.prom").symlink_to(tmp_path / "elsewhere")
    assert drop.page().value("a") == 1


def test_a_file_that_could_not_be_read_for_a_while_is_told_of_again(drop, tmp_path):
    target = tmp_path / "elsewhere"
    target.write_text("a 1\n")
    (drop.directory / "a.prom").symlink_to(target)
    assert drop.page().value("a") == 1
    target.rename(tmp_path / "away")
    assert drop.page().value("a") is None
    assert drop.reasons() == {"unreadable"}
    (tmp_path / "away").rename(target)
    page = drop.page()
    assert page.value("a") == 1
    assert page.value("node_textfile_scrape_error") == 0
