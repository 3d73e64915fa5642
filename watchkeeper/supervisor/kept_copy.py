"""A copy of files we ship, kept in step with them without touching what a person wrote there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

RECORD = ".copied.json"
"""What we wrote, by its path in the copy: the digest tells our file from one that was edited."""


def bring_up_to_date(source: Path, copy: Path, names: Iterable[str]) -> list[str]:
    """Make ``copy`` hold the files of ``source``, and none of an earlier release.

    Args:
        source: where the shipped files are.
        copy: an existing directory; files in it that we did not write stay as they are.
        names: the files and directories to take; those that are not there are passed over.

    Returns:
        The paths, in the copy, of shipped files that were changed by hand and so are not ours.
    """
    shipped = {
        str(path.relative_to(source)): path.read_bytes()
        for name in names
        for path in _files(source / name)
    }
    written = _read_record(copy)
    edited = [path for path in written if _is_edited(copy / path, written[path])]
    for path, content in shipped.items():
        if path not in edited:
            _write(copy / path, content)
            written[path] = _digest(content)
    for path in written.keys() - shipped.keys():
        if path not in edited:
            (copy / path).unlink(missing_ok=True)
        del written[path]
    _write(copy / RECORD, json.dumps(written, indent=2).encode())
    return sorted(path for path in edited if path in shipped)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from (one for one in path.rglob("*") if one.is_file())


def _is_edited(path: Path, digest: str) -> bool:
    return path.is_file() and _digest(path.read_bytes()) != digest


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write it whole or not at all: half a record would take our files for a person's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)


def _read_record(copy: Path) -> dict[str, str]:
    try:
        record: dict[str, str] = json.loads((copy / RECORD).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return record
