"""Asking file systems that may never answer, from a process that can be thrown away.

A call on a mount whose server is gone blocks in the kernel, where no deadline reaches it. It is
made in a child that is killed when it takes too long.
"""

from __future__ import annotations

import itertools
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from agent import statvfs_child

ANSWER_SECONDS = 1.0
"""A healthy network file system answers in milliseconds."""

START_SECONDS = 2.0
"""An interpreter starts in a tenth of this, unless the machine is very busy."""

ASK_AGAIN_SECONDS = 60.0
"""Between questions to a file system that does not answer: each costs a child."""

MOST_SILENCES = 2
"""One may be due to a busy machine; after so many in a row a file system is asked more rarely."""

MOST_LOST = 4
"""Children the kernel holds, each for a file system that went silent while others were stuck."""


class Space(NamedTuple):
    """Sizes and counts of a file system."""

    size_bytes: int
    free_bytes: int
    available_bytes: int
    files: int
    files_free: int


def space_of(path: str) -> Space:
    """Return the space of the file system at ``path``; raise OSError when it cannot be asked."""
    return Space(*statvfs_child.numbers_of(path))


class Silence(NamedTuple):
    """How often in a row a file system did not answer, and when it is asked again (monotonic)."""

    times: int
    again_at: float

    def prolonged(self, now: float) -> Silence:
        """Return what follows from one more."""
        times = self.times + 1
        return Silence(times, now if times < MOST_SILENCES else now + ASK_AGAIN_SECONDS)


class PatientAsker:
    """Asks all at the same time through one child, started when first needed.

    Args:
        answer_seconds: waited for all answers together.
        now_seconds: monotonic.
    """

    def __init__(
        self,
        answer_seconds: float = ANSWER_SECONDS,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answer_seconds = answer_seconds
        self._now_seconds = now_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._lost: list[subprocess.Popen[bytes]] = []
        self._silent: dict[str, Silence] = {}
        self._numbers = itertools.count()

    def spaces_of(self, paths: Sequence[str]) -> dict[str, Space]:
        """Return the space of each file system that tells it; a silent one is asked more rarely.

        Raises:
            OSError: nobody can be asked.
        """
        now = self._now_seconds()
        self._lost = [child for child in self._lost if child.poll() is None]
        if len(self._lost) >= MOST_LOST:
            raise TimeoutError("earlier questions are still stuck in the kernel")
        self._silent = {path: self._silent[path] for path in paths if path in self._silent}
        asked = [path for path in dict.fromkeys(paths) if self._is_worth_asking(path, now)]
        answers = self._ask_once_more(asked) if asked else {}
        self._note_silence([path for path in asked if path not in answers], now)
        for path in answers:
            self._silent.pop(path, None)
        return {path: space for path, space in answers.items() if space is not None}

    def _is_worth_asking(self, path: str, now: float) -> bool:
        silence = self._silent.get(path)
        # While the kernel does not even let go of a child, asking again would only cost another.
        return silence is None or (now >= silence.again_at and not self._lost)

    def _note_silence(self, paths: Sequence[str], now: float) -> None:
        for path in paths:
            self._silent[path] = self._silent.get(path, Silence(0, now)).prolonged(now)
        if paths:
            self._give_up()

    def _ask_once_more(self, paths: Sequence[str]) -> dict[str, Space | None]:
        """Ask; a child that was killed, for want of memory perhaps, is replaced."""
        try:
            return self._ask(paths)
        except BrokenPipeError:
            self._give_up()
        return self._ask(paths)

    def _ask(self, paths: Sequence[str]) -> dict[str, Space | None]:
        child = self._started()
        paths_by_number = {b"%d" % next(self._numbers): path for path in paths}
        questions = (b"%b %b\0" % (n, os.fsencode(path)) for n, path in paths_by_number.items())
        assert child.stdin is not None  # noqa: S101  # narrows the type: it is a pipe
        child.stdin.write(b"".join(questions))
        answers: dict[str, Space | None] = {}
        for line in _lines(child, len(paths), self._answer_seconds):
            number, *numbers = line.split()
            path = paths_by_number[number]
            answers[path] = Space(*map(int, numbers)) if numbers else None
        return answers

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._child = _start_child()
            if not _lines(self._child, 1, START_SECONDS):  # it says that it has started
                self._give_up()
                raise TimeoutError(f"no child has started within {START_SECONDS:g} s")
        return self._child

    def close(self) -> None:
        """End the child."""
        self._give_up()

    def _give_up(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        try:
            child.wait(0.1)
        except subprocess.TimeoutExpired:
            self._lost.append(child)


def _start_child() -> subprocess.Popen[bytes]:
    # Isolated and without site: the child needs os alone, and stays at a few megabytes. In a group
    # of its own no Ctrl-C at the terminal reaches it; it ends when nobody can ask it any more.
    return subprocess.Popen(
        [sys.executable, "-I", "-S", statvfs_child.__file__],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        process_group=0,
    )


def _lines(child: subprocess.Popen[bytes], most: int, seconds: float) -> list[bytes]:
    """Return the lines a child writes, until there are ``most`` or the time is over.

    Raises:
        BrokenPipeError: it has ended.
    """
    assert child.stdout is not None  # noqa: S101  # narrows the type: it is a pipe
    ends_at = time.monotonic() + seconds
    poller = select.poll()
    poller.register(child.stdout, select.POLLIN)
    text = b""
    while text.count(b"\n") < most:
        left_seconds = max(0.0, ends_at - time.monotonic())
        if not poller.poll(left_seconds * 1000):
            break
        piece = os.read(child.stdout.fileno(), 1 << 16)
        if not piece:
            raise BrokenPipeError("the child has ended")
        text += piece
    return text.split(b"\n")[:-1]
