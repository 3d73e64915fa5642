"""Draws what happened as a PNG: the values, what was expected, and the band of the normal."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from PIL import Image, ImageDraw, ImageFont

WIDTH_PIXELS, HEIGHT_PIXELS = 640, 240
_LEFT, _TOP, _RIGHT, _BOTTOM = 64, 30, 16, 26
_PAPER, _INK, _GRID = "#ffffff", "#333333", "#dddddd"
_BAND, _EXPECTED, _ACTUAL = "#d7e8d9", "#4d8f57", "#b3261e"

Value = float | None


@dataclass(frozen=True, slots=True)
class Points:
    """One series: equally long lists, None where nothing is known; timestamps in Unix seconds."""

    timestamps: Sequence[float]
    actual: Sequence[Value]
    expected: Sequence[Value]
    lower: Sequence[Value]
    upper: Sequence[Value]


def draw(title: str, points: Points) -> bytes:
    """Return a PNG of ``points``, or nothing when there is nothing to draw.

    That is: fewer than two values, or values so far apart that no number says how far.
    """
    if len(_known(points.actual)) < 2 or len(points.timestamps) < 2:
        return b""
    frame = _Frame.around(points)
    if not math.isfinite(frame.most - frame.least):
        return b""
    image = Image.new("RGB", (WIDTH_PIXELS, HEIGHT_PIXELS), _PAPER)
    pen = ImageDraw.Draw(image)
    _draw_grid(pen, frame, title)
    for low, high in zip(_runs(frame, points.timestamps, points.lower),
                         _runs(frame, points.timestamps, points.upper), strict=False):  # fmt: skip
        if len(low) > 1 and len(high) > 1:
            pen.polygon([*low, *reversed(high)], fill=_BAND)
    for values, colour, width in (
        (points.expected, _EXPECTED, 1), (points.actual, _ACTUAL, 2),
    ):  # fmt: skip
        for run in _runs(frame, points.timestamps, values):
            if len(run) > 1:
                pen.line(run, fill=colour, width=width)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class _Frame:
    first_seconds: float
    last_seconds: float
    least: float
    most: float

    @classmethod
    def around(cls, points: Points) -> _Frame:
        lists = (points.actual, points.expected, points.lower, points.upper)
        values = [value for found in lists for value in _known(found)]
        least, most = min(values), max(values)
        margin = (most - least) * 0.08 or abs(most) * 0.1 or 1.0
        floor = least - margin if least < 0 else max(0.0, least - margin)  # no -0.03 s on a scale
        return cls(points.timestamps[0], points.timestamps[-1], floor, most + margin)

    def place(self, at_seconds: float, value: float) -> tuple[float, float]:
        across = (at_seconds - self.first_seconds) / max(self.last_seconds - self.first_seconds, 1)
        up = (value - self.least) / (self.most - self.least)
        return (
            _LEFT + across * (WIDTH_PIXELS - _LEFT - _RIGHT),
            HEIGHT_PIXELS - _BOTTOM - up * (HEIGHT_PIXELS - _TOP - _BOTTOM),
        )


def _draw_grid(pen: ImageDraw.ImageDraw, frame: _Frame, title: str) -> None:
    font, small = ImageFont.load_default(13), ImageFont.load_default(11)
    pen.text((_LEFT, 8), title[:80], fill=_INK, font=font)
    for share in (0.0, 0.5, 1.0):
        value = frame.least + share * (frame.most - frame.least)
        left, height = frame.place(frame.first_seconds, value)
        pen.line([(left, height), (WIDTH_PIXELS - _RIGHT, height)], fill=_GRID)
        pen.text((6, height - 7), f"{value:.4g}", fill=_INK, font=small)
    floor = HEIGHT_PIXELS - _BOTTOM + 6
    pen.text((_LEFT, floor), _clock(frame.first_seconds), fill=_INK, font=small)
    pen.text((WIDTH_PIXELS - 74, floor), _clock(frame.last_seconds), fill=_INK, font=small)


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M UTC")


def _runs(
    frame: _Frame, timestamps: Sequence[float], values: Sequence[Value]
) -> list[list[tuple[float, float]]]:
    """Return the places of ``values`` in runs without a gap: what is unknown is not bridged."""
    runs: list[list[tuple[float, float]]] = [[]]
    for at_seconds, value in zip(timestamps, values, strict=True):
        if value is not None and math.isfinite(value):
            runs[-1].append(frame.place(at_seconds, value))
        elif runs[-1]:
            runs.append([])
    return runs


def _known(values: Sequence[Value]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]
