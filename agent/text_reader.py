"""Reads Prometheus' text format 0.0.4, strictly: what is not well formed is refused whole.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.family import Family, Sample
from watchkeeper.catalogue import Kind, Metric

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"\\": "\\", '"': '"', "n": "\n"}
_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE
)

PARTS = {
    Kind.HISTOGRAM: {"_bucket": "le", "_sum": "", "_count": ""},
    Kind.SUMMARY: {"": "quantile", "_sum": "", "_count": ""},
}
"""Ends of the samples' names of a kind, and the label that each must have."""

Labels = dict[str, str]


class MalformedText(ValueError):  # noqa: N818  # it names what the text is
    """The text is not in the format; the message says where and why."""


class HasTimestamps(MalformedText):
    """A sample carries a timestamp of its own."""


@dataclass(slots=True)
class TextFamily:
    """One metric as a text tells of it.

    Attributes:
        samples: by the end of their name (empty but for parts of histograms and summaries).
    """

    name: str
    kind: Kind = Kind.UNTYPED
    help: str | None = None
    is_typed: bool = False
    samples: dict[str, list[tuple[Labels, float]]] = field(default_factory=dict)

    def families(self, default_help: str) -> Iterator[Family]:
        """Yield it as the agent tells of metrics; a label that one sample lacks is empty there."""
        help_text = default_help if self.help is None else self.help
        metric = Metric(self.name, self.kind, "", help_text)
        for end, told in self.samples.items():
            names = tuple(dict.fromkeys(name for labels, _ in told for name in labels))
            samples: list[Sample] = [
                (tuple(labels.get(name, "") for name in names), value) for labels, value in told
            ]
            yield Family(metric, samples, end, names)


def read_families(text: str) -> dict[str, TextFamily]:
    """Return the metrics of ``text`` by name.

    Raises:
        HasTimestamps: a sample has one.
        MalformedText: a line is not in the format, a series is told twice, a type comes late.
    """
    families: dict[str, TextFamily] = {}
    seen: set[tuple[str, frozenset[tuple[str, str]]]] = set()
    # Only a newline ends a line: other line breaks may stand in a label's value.
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        try:
            if stripped.startswith("#"):
                _note_comment(stripped, families)
            elif stripped:
                _add_sample(stripped, families, seen)
        except MalformedText as error:
            raise type(error)(f"line {number}: {error}") from None
    return {name: family for name, family in families.items() if family.samples}


def _note_comment(line: str, families: dict[str, TextFamily]) -> None:
    words = line[1:].split(None, 2)
    if len(words) < 2 or words[0] not in ("HELP", "TYPE"):
        return
    keyword, name, *rest = words
    if not NAME.fullmatch(name):
        raise MalformedText(f"{name!r} is no name of a metric")
    family = families.setdefault(name, TextFamily(name))
    if keyword == "HELP":
        family.help = _unescape("".join(rest))
        return
    if family.is_typed or family.samples:
        raise MalformedText(f"the type of {name} comes a second time or after its samples")
    try:
        family.kind = Kind("".join(rest).strip())
    except ValueError:
        raise MalformedText(f"{''.join(rest)!r} is no type") from None
    family.is_typed = True


def _add_sample(
    line: str,
    families: dict[str, TextFamily],
    seen: set[tuple[str, frozenset[tuple[str, str]]]],
) -> None:
    found = NAME.match(line)
    if found is None:
        raise MalformedText("expected the name of a metric")
    name, rest = found[0], line[found.end() :].lstrip()
    labels, rest = _read_labels(rest[1:]) if rest.startswith("{") else ({}, rest)
    value = _read_value(rest)
    series = name, frozenset(labels.items())
    if series in seen:
        raise MalformedText(f"{name} with these labels is told twice")
    seen.add(series)
    family, end = _family_of(name, families)
    _require_fit(name, family.kind, end, labels, value)
    family.samples.setdefault(end, []).append((labels, value))


def _require_fit(name: str, kind: Kind, end: str, labels: Labels, value: float) -> None:
    needed = PARTS.get(kind, {"": ""}).get(end)
    if needed is None or (needed and needed not in labels):
        raise MalformedText(f"{name} does not fit the type {kind}")
    if needed and (not _NUMBER.fullmatch(labels[needed]) or math.isnan(float(labels[needed]))):
        raise MalformedText(f"expected a number as {needed}")
    is_count = end in ("_bucket", "_count")  # kinds without parts have no end
    if is_count and not 0 <= value < math.inf:
        raise MalformedText(f"expected a count of {name}")


def _family_of(name: str, families: dict[str, TextFamily]) -> tuple[TextFamily, str]:
    for end in ("_bucket", "_sum", "_count"):
        whole = families.get(name.removesuffix(end)) if name.endswith(end) else None
        if whole is not None and end in PARTS.get(whole.kind, ()):
            return whole, end
    return families.setdefault(name, TextFamily(name)), ""


def _read_labels(text: str) -> tuple[Labels, str]:
    """Return the labels at the start of ``text`` and what follows their closing brace."""
    labels: Labels = {}
    at = 0
    while not text[at:].lstrip().startswith("}"):
        found = _LABEL.match(text, at)
        if found is None:
            raise MalformedText('expected labels as {name="value",...}')
        if found[1] in labels:
            raise MalformedText(f"the label {found[1]} comes twice")
        labels[found[1]] = _unescape(found[2])
        at = found.end()
    return labels, text[at:].lstrip()[1:]


def _read_value(text: str) -> float:
    words = text.split()
    if not words or not _NUMBER.fullmatch(words[0]):
        raise MalformedText("expected a number")
    if len(words) == 2 and _NUMBER.fullmatch(words[1]):
        raise HasTimestamps("samples with timestamps of their own would never go stale")
    if len(words) > 1:
        raise MalformedText("expected nothing after the value")
    return float(words[0])


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[0]), text)
