"""Reading PromQL just enough: which metrics an expression names, and filling its variables."""

from __future__ import annotations

import re
from collections.abc import Mapping

from watchkeeper.catalogue import Kind, Metric

_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`')
_SELECTOR = re.compile(r"\{[^{}]*\}")
_WINDOW = re.compile(r"\[[^\[\]]*\]")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)")
_NAME = re.compile(r"(?<![\w.:$])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])")
_NUMBER = re.compile(r"(?<![\w:])\d[\w.]*")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::\w+)?\}|(?P<plain>[A-Za-z_]\w*))")
_KEYWORDS = frozenset({"and", "or", "unless", "offset", "bool", "atan2", "inf", "nan"})
_FUNCTIONS_OF_LABELS = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]")
_KEEPS_UNIT = re.compile(r"(?:(?!\bcount\b|\bcount_values\b|\bstdvar\b)[^*/%^+<>=-])*")
_HISTOGRAM_SUFFIXES = ("_bucket", "_sum", "_count")


def metric_names(expression: str) -> set[str]:
    """Return the metric names in a PromQL expression (names given in ``__name__`` are not seen)."""
    text = _STRING.sub('""', expression)
    for pattern in (_SELECTOR, _WINDOW, _GROUPING, _NUMBER):
        text = pattern.sub(" ", text)
    return {name for name in _NAME.findall(text) if name.lower() not in _KEYWORDS}


def variables(expression: str) -> set[str]:
    """Return the names of the ``$variables`` in an expression, Grafana's own ``__`` ones too."""
    return {match["braced"] or match["plain"] for match in _VARIABLE.finditer(expression)}


def fill(expression: str, values: Mapping[str, str]) -> str:
    """Replace each ``$variable`` by its value; KeyError names one that has none.

    Values are already what may stand there: an escaped regular expression, or a duration.
    """
    return _VARIABLE.sub(lambda match: values[match["braced"] or match["plain"]], expression)


def uncatalogued(expression: str, catalogue: Mapping[str, Metric]) -> set[str]:
    """Return the metrics an expression uses that ``catalogue`` does not have."""
    return {name for name in metric_names(expression) if not _known(name, catalogue)}


def has_exemplars(expression: str, catalogue: Mapping[str, Metric]) -> bool:
    """Return whether single requests with their traces may stand behind an expression.

    They stand at the buckets of histograms; a histogram that a rule has recorded has none.
    """
    return any(
        name.endswith("_bucket") and _known(name, catalogue) for name in metric_names(expression)
    )


def _known(name: str, catalogue: Mapping[str, Metric]) -> bool:
    if name in catalogue:
        return True
    for suffix in _HISTOGRAM_SUFFIXES:
        family = catalogue.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
        if family is not None and family.kind is Kind.HISTOGRAM:
            return True
    return False


def unit_of(expression: str, catalogue: Mapping[str, Metric]) -> str:
    """Return the base unit of what an expression measures, or an empty string when it is unclear.

    Clear are a gauge, aggregated or not, and a quantile of a histogram; once anything is divided,
    multiplied or counted, the unit of the metric is not that of the result.
    """
    names = metric_names(expression)
    if len(names) != 1 or not _KEEPS_UNIT.fullmatch(_FUNCTIONS_OF_LABELS.sub("", expression)):
        return ""
    [name] = names
    metric = catalogue.get(name)
    if metric is not None:
        return metric.unit if metric.kind is Kind.GAUGE and "rate(" not in expression else ""
    family = catalogue.get(name.removesuffix("_bucket"))
    is_quantile = expression.lstrip().startswith("histogram_quantile(")
    return family.unit if family is not None and is_quantile else ""
