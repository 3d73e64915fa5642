"""Files in Prometheus' text format that other programs leave: cron jobs, back-ups, scripts."""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.family import Family, Sample, single
from agent.procfs import READ_BYTES
from agent.text_reader import HasTimestamps, MalformedText, TextFamily, read_families
from watchkeeper.catalogue import every_metric, textfile
from watchkeeper.logs import get_logger

log = get_logger(__name__)

SUFFIX = ".prom"
"""What node_exporter looks for; a name that ends otherwise is still being written."""

MAXIMUM_FILES = 500
"""Of all directories together, by name; a directory that goes beyond is told as failed."""


UNFINISHED, UNREADABLE = "unfinished", "unreadable"

Version = tuple[int, int, int]
"""Inode, size and time in nanoseconds: a file that has the same is the same."""


class Unusable(Exception):  # noqa: N818  # it names what the file is
    """A file cannot be told of now; ``reason`` is one word of a fixed set."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(slots=True)
class _File:
    """What is known of one file.

    Attributes:
        seen: the version that was read last, good or bad.
        families: of the version that is told of.
        mtime_ns: when that was written; None while there is none.
        problem: with the version that was read last.
    """

    seen: Version | None = None
    families: dict[str, TextFamily] = field(default_factory=dict)
    mtime_ns: int | None = None
    problem: Unusable | None = None


@dataclass(frozen=True, slots=True)
class _Page:
    """What the files say together, and which of them do not go with the others."""

    versions: dict[str, int | None]
    families: list[Family]
    clashes: dict[str, Unusable]


class TextfileCollector:
    """Tells of what the files say, and of how each of them fares.

    A file is read again when it changed. One that is still being written, that is one that changes
    while it is read or does not end with a newline, is told of as it was before. Any other fault
    takes its series away: what a broken job said last week is not news.

    Args:
        directories: where ``*.prom`` files lie.
        max_bytes: of one file.
        now_seconds: Unix time.
    """

    def __init__(
        self,
        *,
        directories: Sequence[str],
        max_bytes: int,
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._directories = [Path(directory) for directory in directories]
        self._max_bytes = max_bytes
        self._now_seconds = now_seconds
        self._files: dict[str, _File] = {}
        self._page = _Page({}, [], {})
        self._errors: Counter[tuple[str, str]] = Counter()
        self._reserved = frozenset(every_metric())

    def collect(self) -> Iterator[Family]:
        """Return the files' families; where two files clash, the first by name counts."""
        failed: dict[str, Unusable] = {}
        paths = self._paths(failed)
        gone = self._files.keys() - set(paths)
        self._files = {path: self._looked_at(path) for path in paths}
        failed |= {path: file.problem for path, file in self._files.items() if file.problem}
        page = self._page_of_files()
        failed |= page.clashes
        self._note(failed, gone)
        yield from page.families
        yield from self._about(failed)

    def _page_of_files(self) -> _Page:
        versions = {path: file.mtime_ns for path, file in self._files.items() if file.families}
        if versions != self._page.versions:
            accepted: dict[str, list[tuple[str, TextFamily]]] = {}
            clashes: dict[str, Unusable] = {}
            for path in versions:
                families = self._files[path].families
                clash = _clash(families, accepted, self._reserved)
                if clash is not None:
                    clashes[path] = clash
                    continue
                for name, family in families.items():
                    accepted.setdefault(name, []).append((path, family))
            self._page = _Page(versions, list(_told(accepted)), clashes)
        return self._page

    def _paths(self, failed: dict[str, Unusable]) -> list[str]:
        paths: list[str] = []
        for directory in self._directories:
            try:
                with os.scandir(directory) as entries:
                    found = sorted(e.path for e in entries if e.name.endswith(SUFFIX))
            except OSError as error:
                failed[str(directory)] = Unusable(UNREADABLE, str(error))
                continue
            if len(paths) + len(found) > MAXIMUM_FILES:
                failed[str(directory)] = Unusable("too_many", f"more than {MAXIMUM_FILES} files")
            paths += found[: MAXIMUM_FILES - len(paths)]
        return paths

    def _looked_at(self, path: str) -> _File:
        file = self._files.get(path) or _File()
        try:
            version, text = _read(path, file.seen, self._max_bytes)
            if text is None:
                return file
            file.seen = version  # good or bad, it need not be read again
            file.families, file.problem = _parsed(text), None
            file.mtime_ns = version[2]
        except Unusable as problem:
            file.problem = problem
            if problem.reason in (UNFINISHED, UNREADABLE):
                file.seen = None  # it may be well the next time and look the same
            if problem.reason != UNFINISHED:
                file.families, file.mtime_ns = {}, None
        return file

    def _note(self, failed: dict[str, Unusable], gone: Iterable[str]) -> None:
        """Count what failed, and say it once."""
        for path, problem in failed.items():
            is_new = (path, problem.reason) not in self._errors
            self._errors[path, problem.reason] += 1
            if is_new:
                extra = {"file": path, "reason": problem.reason, "detail": str(problem)}
                log.warning("textfile cannot be told of", extra=extra)
        for path in gone:
            for key in [key for key in self._errors if key[0] == path]:
                del self._errors[key]

    def _about(self, failed: dict[str, Unusable]) -> Iterator[Family]:
        told: list[Sample] = [
            ((path,), file.mtime_ns / 1e9)
            for path, file in self._files.items()
            if file.mtime_ns is not None
        ]
        now = self._now_seconds()
        yield Family(textfile.MTIME, told)
        yield Family(textfile.AGE, [(path, max(0.0, now - mtime)) for path, mtime in told])
        every = dict.fromkeys([*self._files, *failed])
        yield Family(textfile.SUCCESS, [((path,), int(path not in failed)) for path in every])
        yield Family(textfile.ERRORS, list(self._errors.items()))
        yield single(textfile.SCRAPE_ERROR, int(bool(failed)))

    def close(self) -> None:
        """Nothing is held open."""


def _read(path: str, seen: Version | None, max_bytes: int) -> tuple[Version, str | None]:
    """Return which version of the file it is, and its text unless it is the one already seen.

    Raises:
        Unusable: it cannot be opened, is no ordinary file, too large, or changes while it is read.
    """
    try:
        # A pipe in place of a file must not hold us up.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise Unusable(UNREADABLE, str(error)) from None
    try:
        status = os.fstat(descriptor)
        version = _version(status)
        if version == seen:
            return version, None
        if not stat.S_ISREG(status.st_mode):
            raise Unusable(UNREADABLE, "not an ordinary file")
        if status.st_size > max_bytes:
            raise Unusable("too_large", f"{status.st_size} bytes; at most {max_bytes} are read")
        body = b"".join(iter(lambda: os.read(descriptor, READ_BYTES), b""))
        if _version(os.fstat(descriptor)) != version or len(body) != status.st_size:
            raise Unusable(UNFINISHED, "it changed while it was read")
    finally:
        os.close(descriptor)
    return version, _decoded(body)


def _version(status: os.stat_result) -> Version:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Unusable("malformed", f"not UTF-8: {error}") from None


def _parsed(text: str) -> dict[str, TextFamily]:
    if text and not text.endswith("\n"):
        raise Unusable(UNFINISHED, "it does not end with a newline")
    try:
        return read_families(text)
    except HasTimestamps as error:
        raise Unusable("timestamps", str(error)) from None
    except MalformedText as error:
        raise Unusable("malformed", str(error)) from None


def _clash(
    families: dict[str, TextFamily],
    accepted: dict[str, list[tuple[str, TextFamily]]],
    reserved: frozenset[str],
) -> Unusable | None:
    """Return why a file cannot be told of beside the others, or None."""
    for name, family in families.items():
        if name in reserved:
            return Unusable("reserved", f"{name} is told of by the agent itself")
        for path, other in accepted.get(name, ()):
            if other.kind is not family.kind:
                return Unusable("conflict", f"{name} is a {other.kind} in {path}")
            if twice := _series_of(family) & _series_of(other):
                end, labels = min(twice, key=str)
                return Unusable("conflict", f"{name}{end}{dict(labels)} is told in {path} too")
    return None


def _series_of(family: TextFamily) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    return {
        (end, frozenset(labels.items()))
        for end, samples in family.samples.items()
        for labels, _ in samples
    }


def _told(accepted: dict[str, list[tuple[str, TextFamily]]]) -> Iterator[Family]:
    """Yield each metric once, with what every file says of it."""
    for name, told in accepted.items():
        whole = TextFamily(name, told[0][1].kind)
        whole.help = next((one.help for _, one in told if one.help is not None), None)
        for _, one in told:
            for end, samples in one.samples.items():
                whole.samples.setdefault(end, []).extend(samples)
        yield from whole.families(f"Metric read from {told[0][0]}")
