"""The text formats of Prometheus and OpenMetrics."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from agent.family import Family, LabelValues
from watchkeeper.catalogue import Kind, Metric

MOST_REMEMBERED = 32
"""Headers whose meaning is remembered: a scraper sends the same ones every time."""


class TextFormat(Enum):
    """A format and its content type."""

    PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    # There is one of each; Enum's own would be a call for each look into a dictionary.
    __hash__ = object.__hash__


@lru_cache(maxsize=MOST_REMEMBERED)
def format_for(accept: str) -> TextFormat:
    """Return the format to answer with for an Accept header; Prometheus' own unless asked."""
    openmetrics = quality_of("application/openmetrics-text", accept)
    if openmetrics > 0 and openmetrics >= quality_of("text/plain", accept):
        return TextFormat.OPENMETRICS
    return TextFormat.PROMETHEUS


def quality_of(name: str, header: str) -> float:
    """Return how much an Accept or Accept-Encoding header wants ``name``, 0 (not) to 1.

    The header's best mention counts; one whose quality is not a number counts fully.
    """
    best = 0.0
    for mention in header.lower().split(","):
        value, *parameters = (part.strip() for part in mention.split(";"))
        if value == name:
            qualities = [text[2:] for text in parameters if text.startswith("q=")]
            best = max(best, _number(qualities[0]) if qualities else 1.0)
    return best


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


LabelNames = tuple[str, ...]

OPENMETRICS_END = b"# EOF\n"
"""What a whole OpenMetrics page ends with."""


class Block(NamedTuple):
    """The sample lines of one metric, the same bytes in either format."""

    metric: Metric
    lines: bytes


Prefixes = dict[LabelValues, str]
"""What stands before the value in each line of one metric."""


class Renderer:
    """Turns families into text, keeping the part of each line that never changes."""

    def __init__(self) -> None:
        self._prefixes: dict[tuple[str, str, LabelNames, LabelNames], Prefixes] = {}
        self._kept = 0
        self._told: list[tuple[Family, Block]] = []

    def render(self, families: Sequence[Family]) -> list[Block]:
        """Return one block a family, in their order; what did not change is not written again."""
        total = sum(len(family.samples) for family in families)
        # Labels come and go; what is kept stays in proportion to what is served.
        if self._kept > 2 * total + 64:
            self._prefixes.clear()
            self._kept = 0
        # Collectors tell of the same things in the same order, and most of it did not change.
        told = [
            block if family == before else Block(family.metric, self._lines(family))
            for family, (before, block) in zip(families, self._told, strict=False)
        ]
        told += [Block(family.metric, self._lines(family)) for family in families[len(told) :]]
        self._told = list(zip(families, told, strict=True))
        return told

    def _lines(self, family: Family) -> bytes:
        metric, samples, suffix, extra_labels = family
        # Other programs' text files name the labels of one metric as they like, and anew.
        key = (metric.name, suffix, metric.labels, extra_labels)
        prefixes = self._prefixes.get(key)
        if prefixes is None:
            prefixes = self._prefixes[key] = {}
        lines = []
        for labels, value in samples:
            prefix = prefixes.get(labels)
            if prefix is None:
                label_names = metric.labels + extra_labels
                prefix = prefixes[labels] = _prefix(metric.name + suffix, label_names, labels)
                self._kept += 1
            lines.append(f"{prefix}{value if type(value) is int else format_value(value)}\n")
        return "".join(lines).encode()


def text_of(blocks: Sequence[Block], text_format: TextFormat) -> bytes:
    """Return blocks with their headers; those of one metric are brought together under one."""
    headers = _HEADERS[text_format]
    by_name: dict[str, list[bytes]] = {}
    for metric, lines in blocks:
        parts = by_name.get(metric.name)
        if parts is not None:
            parts.append(lines)
            continue
        described, header = headers.get(metric.name, _NO_HEADER)
        if described is not metric:
            header = _HEADER_OF[text_format](metric)
            headers[metric.name] = metric, header
        by_name[metric.name] = [header, lines]
    return b"".join(chain.from_iterable(by_name.values()))


def prometheus_header(metric: Metric) -> bytes:
    """Return the HELP and TYPE lines of the text format 0.0.4."""
    text = f"# HELP {metric} {_escape_help(metric.help)}\n# TYPE {metric} {metric.kind}\n"
    return text.encode()


def openmetrics_header(metric: Metric) -> bytes:
    """Return the TYPE and HELP lines of OpenMetrics 1.0.

    There a counter's samples must end in ``_total``; one whose exporter named it otherwise is
    declared ``unknown``, so that its name stays what dashboards ask for.
    """
    name, kind = metric.name, str(metric.kind)
    if metric.kind is Kind.COUNTER and name.endswith("_total"):
        name = name.removesuffix("_total")
    elif metric.kind in (Kind.COUNTER, Kind.UNTYPED):
        kind = "unknown"
    help_text = _escape_help(metric.help).replace('"', r"\"")
    return f"# TYPE {name} {kind}\n# HELP {name} {help_text}\n".encode()


_HEADER_OF = {
    TextFormat.PROMETHEUS: prometheus_header,
    TextFormat.OPENMETRICS: openmetrics_header,
}
_HEADERS: dict[TextFormat, dict[str, tuple[Metric | None, bytes]]] = {
    text_format: {} for text_format in TextFormat
}
"""The last header written for each name and what it was written from, which may change."""

_NO_HEADER = (None, b"")


def format_value(value: float) -> str:
    """Return a number as both formats write it."""
    if isinstance(value, int):
        return str(int(value))  # True is 1
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    return NOT_FINITE.get(text, text)


NOT_FINITE = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}
"""Python's spelling to the formats'."""


def _prefix(name: str, label_names: LabelNames, values: LabelValues) -> str:
    if len(label_names) != len(values):
        raise ValueError(f"{name} has labels {label_names}, got {len(values)} values")
    if not values:
        return f"{name} "
    pairs = zip(label_names, values, strict=True)
    inner = ",".join(f'{label}="{_escape_value(value)}"' for label, value in pairs)
    return f"{name}{{{inner}}} "


def _escape_value(value: str) -> str:
    # Bytes a device or a mount point could carry that are not UTF-8 arrive as surrogates.
    clean = value.encode("utf-8", "replace").decode("utf-8")
    return clean.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _escape_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")
