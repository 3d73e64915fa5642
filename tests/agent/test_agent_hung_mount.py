"""Mounts that never answer cost only their own sizes, however many there are."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from agent.collectors.filesystem import FilesystemCollector, Mount, asked_apart
from agent.statvfs import ASK_AGAIN_SECONDS, PatientAsker, space_of
from benchmarks.hung_mount import hung_mount


@pytest.fixture
def hung(tmp_path):
    """Six directories on which nothing answers."""
    points = [tmp_path / f"hung{number}" for number in range(6)]
    with contextlib.ExitStack() as stack:
        for point in points:
            point.mkdir()
            try:
                stack.enter_context(hung_mount(point))
            except OSError as error:
                pytest.skip(f"no FUSE mount can be made here: {error}")
        yield [str(point) for point in points]


class Clock:
    """A monotonic clock that a test sets."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def open_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def asker():
    asker = PatientAsker(answer_seconds=10)
    yield asker
    asker.close()


@pytest.fixture
def impatient_asker(clock):
    asker = PatientAsker(answer_seconds=0.5, now_seconds=clock)
    yield asker
    asker.close()


def test_the_child_answers_what_the_call_would(asker, tmp_path):
    asked = asker.spaces_of([str(tmp_path), "/"])
    called = space_of(str(tmp_path))
    assert (asked[str(tmp_path)].size_bytes, asked[str(tmp_path)].files) == (
        called.size_bytes,
        called.files,
    )
    assert asked["/"].size_bytes == space_of("/").size_bytes


def test_one_child_answers_all_questions(asker):
    asker.spaces_of(["/"])
    child = asker._child.pid
    asker.spaces_of(["/"])
    assert asker._child.pid == child


@pytest.mark.parametrize("path", ["/nowhere", "a\nline", "9 blank", ""])
def test_a_path_that_cannot_be_asked_has_no_space_and_others_have(asker, path):
    assert set(asker.spaces_of([path, "/"])) == {"/"}


def test_a_child_that_was_killed_is_replaced(asker):
    asker.spaces_of(["/"])
    killed = asker._child
    killed.kill()
    killed.wait()
    assert set(asker.spaces_of(["/"])) == {"/"}
    assert asker._child.pid != killed.pid


def test_a_child_that_was_killed_can_be_closed():
    asker = PatientAsker(answer_seconds=10)
    asker.spaces_of(["/"])
    asker._child.kill()
    asker.close()
    assert asker._child is None


def test_the_child_ends_when_nobody_can_ask_it_any_more_and_not_by_a_key(asker, hung):
    asker.spaces_of(["/"])
    child = asker._child
    assert os.getpgid(child.pid) != os.getpgid(0)
    child.stdin.write(b"1 %b\0" % os.fsencode(hung[0]))
    child.stdin.close()
    assert child.wait(20) == 0


def test_mounts_that_never_answer_hold_up_no_other(impatient_asker, hung):
    assert set(impatient_asker.spaces_of([*hung, "/"])) == {"/"}


def test_a_silent_mount_is_asked_rarely_and_told_of_once_it_answers(
    impatient_asker, clock, tmp_path
):
    with contextlib.ExitStack() as stack:
        point = tmp_path / "hung"
        point.mkdir()
        stack.enter_context(hung_mount(point))
        for _ in range(2):
            assert impatient_asker.spaces_of([str(point)]) == {}
    assert impatient_asker.spaces_of([str(point)]) == {}
    assert impatient_asker._child is None, "it was asked although it has been silent just now"
    clock.now += ASK_AGAIN_SECONDS
    assert set(impatient_asker.spaces_of([str(point)])) == {str(point)}


def test_one_silence_may_be_due_to_a_busy_machine(impatient_asker):
    impatient_asker.spaces_of(["/"])
    os.kill(impatient_asker._child.pid, signal.SIGSTOP)
    assert impatient_asker.spaces_of(["/"]) == {}
    assert set(impatient_asker.spaces_of(["/"])) == {"/"}


def test_nothing_is_left_behind_however_often_it_hangs(impatient_asker, clock, hung):
    before = open_descriptors()
    for _ in range(3):
        assert impatient_asker.spaces_of(hung) == {}
        clock.now += ASK_AGAIN_SECONDS
    assert open_descriptors() <= before


def test_the_collector_tells_the_errors_and_all_other_file_systems(hung):
    collector = FilesystemCollector()
    families = {family.metric.name: family.samples for family in collector.collect()}
    collector.close()
    errors = {labels[2]: value for labels, value in families["node_filesystem_device_error"]}
    sizes = {labels[2]: value for labels, value in families["node_filesystem_size_bytes"]}
    assert [errors[point] for point in hung] == [1] * 6
    assert not sizes.keys() & set(hung)
    assert sizes["/"] > 0


def mounted(point, type_):
    return Mount("/dev/sdb", point, type_, read_only=False)


def test_what_lies_below_a_network_mount_or_under_it_depends_on_it_as_well():
    mounts = [
        mounted("/", "ext4"),
        mounted("/mnt/share", "ext4"),
        mounted("/mnt/share", "nfs4"),
        mounted("/mnt/share/disk", "xfs"),
        mounted("/mnt/shared", "xfs"),
    ]
    assert asked_apart(mounts) == {"/mnt/share", "/mnt/share/disk"}


def test_all_depends_on_others_where_the_root_does():
    assert asked_apart([mounted("/", "nfs"), mounted("/home", "ext4")]) == {"/", "/home"}
