"""A mount that never answers costs only its own size."""

import contextlib
from pathlib import Path

import pytest

from agent.collectors.filesystem import FilesystemCollector
from agent.statvfs import PatientAsker, space_of
from benchmarks.hung_mount import hung_mount


@pytest.fixture
def mount_point(tmp_path):
    """A directory on which nothing answers, or at least a path that blocks like it."""
    directory = tmp_path / "hung"
    directory.mkdir()
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(hung_mount(directory))
        except OSError as error:
            pytest.skip(f"no FUSE mount can be made here: {error}")
        yield str(directory)


def open_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def asker():
    asker = PatientAsker(answer_seconds=10)
    yield asker
    asker.close()


@pytest.fixture
def impatient_asker():
    asker = PatientAsker(answer_seconds=0.5)
    yield asker
    asker.close()


def test_the_child_answers_what_the_call_would(asker, tmp_path):
    asked, called = asker.space_of(str(tmp_path)), space_of(str(tmp_path))
    assert (asked.size_bytes, asked.files) == (called.size_bytes, called.files)
    assert asker.space_of("/")


def test_one_child_answers_all_questions(asker, tmp_path):
    asker.space_of(str(tmp_path))
    child = asker._child.pid
    asker.space_of(str(tmp_path))
    assert asker._child.pid == child


@pytest.mark.parametrize("path", ["/nowhere", "a\nline", ""])
def test_a_path_that_cannot_be_asked_is_an_error_and_the_next_one_is_fine(asker, path):
    with pytest.raises(OSError, match="refused"):
        asker.space_of(path)
    assert asker.space_of("/").size_bytes > 0


def test_a_mount_that_never_answers_is_given_up_on_and_others_are_asked(
    impatient_asker, mount_point
):
    with pytest.raises(TimeoutError):
        impatient_asker.space_of(mount_point)
    assert impatient_asker.space_of("/").size_bytes > 0


def test_nothing_is_left_behind_however_often_it_hangs(impatient_asker, mount_point):
    before = open_descriptors()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            impatient_asker.space_of(mount_point)
    assert open_descriptors() <= before


def test_the_collector_tells_the_error_and_all_other_file_systems(mount_point):
    collector = FilesystemCollector()
    families = {family.metric.name: family.samples for family in collector.collect()}
    collector.close()
    errors = {labels[2]: value for labels, value in families["node_filesystem_device_error"]}
    sizes = {labels[2]: value for labels, value in families["node_filesystem_size_bytes"]}
    assert errors[mount_point] == 1
    assert mount_point not in sizes
    assert sizes["/"] > 0
