"""Runbooks as the console shows them: headings, paragraphs, lists, and nothing that could run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGED = Path(__file__).parents[1] / "runbooks"
"""Where an installation has them."""
IN_CHECKOUT = Path(__file__).parents[2] / "docs" / "runbooks"
DIRECTORY = PACKAGED if PACKAGED.is_dir() else IN_CHECKOUT

_HEADING = re.compile(r"(#{1,4}) +(.*)")
_ITEM = re.compile(r"[*-] +(.*)")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (``level`` 1 to 4), a paragraph (0) or a list; text is runs of (words, is_code)."""

    level: int
    items: tuple[tuple[tuple[str, bool], ...], ...]
    is_list: bool = False


def find(name: str, directory: Path = DIRECTORY) -> list[Block] | None:
    """Return the runbook of that name, or None when there is none."""
    path = directory / f"{name}.md"
    if path.parent != directory or not path.is_file():
        return None
    return list(parse(path.read_text(encoding="utf-8")))


def parse(text: str) -> Iterator[Block]:
    """Yield the blocks of the little Markdown our runbooks are written in."""
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = part.splitlines()
        heading = _HEADING.fullmatch(lines[0])
        if heading:
            yield Block(len(heading[1]), (_runs(heading[2]),))
            lines = lines[1:]
        if lines and _ITEM.match(lines[0]):
            yield Block(0, tuple(_runs(item) for item in _items(lines)), is_list=True)
        elif lines:
            yield Block(0, (_runs(" ".join(line.strip() for line in lines)),))


def _items(lines: list[str]) -> Iterator[str]:
    gathered = ""
    for line in lines:
        item = _ITEM.fullmatch(line)
        if item and gathered:
            yield gathered
        gathered = item[1] if item else f"{gathered} {line.strip()}"
    yield gathered


def _runs(text: str) -> tuple[tuple[str, bool], ...]:
    pieces = _CODE.split(text)  # every second piece stood between backticks
    return tuple((piece, at % 2 == 1) for at, piece in enumerate(pieces) if piece)
