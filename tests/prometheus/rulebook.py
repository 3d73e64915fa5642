"""What stands under ``prometheus/``: its rules, their promtool tests, and the names they use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]
PROMETHEUS = PROJECT / "prometheus"


@dataclass(frozen=True)
class Rule:
    """One alerting or recording rule."""

    kind: str
    name: str
    expression: str
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return self.name


def rule_files() -> list[Path]:
    return sorted((PROMETHEUS / "rules").glob("*/*.yml"))


def test_files() -> list[Path]:
    return sorted((PROMETHEUS / "tests").glob("*/*.yml"))


@cache
def rules() -> tuple[Rule, ...]:
    return tuple(
        _rule(entry)
        for path in rule_files()
        for group in yaml.safe_load(path.read_text())["groups"]
        for entry in group["rules"]
    )


def alerts() -> list[Rule]:
    return [rule for rule in rules() if rule.kind == "alert"]


def recorded() -> set[str]:
    return {rule.name for rule in rules() if rule.kind == "record"}


@cache
def alert_tests() -> tuple[dict[str, Any], ...]:
    """Every promtool check of an alert: ``alertname``, ``eval_time`` and ``exp_alerts``."""
    return tuple(
        check
        for path in test_files()
        for test in yaml.safe_load(path.read_text())["tests"]
        for check in test.get("alert_rule_test", [])
    )


def _rule(entry: dict[str, Any]) -> Rule:
    kind = "alert" if "alert" in entry else "record"
    return Rule(
        kind,
        entry[kind],
        str(entry["expr"]),
        tuple(entry.get("labels", {}).items()),
        tuple(entry.get("annotations", {}).items()),
    )


_NOT_NAMES = (
    r'"(?:[^"\\]|\\.)*"',  # strings
    r"\{[^}]*\}",  # label matchers, their strings gone
    r"\[[^\]]*\]",  # ranges
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)",  # label lists
    r"\b\d+(?:\.\d+)?(?:ms|[smhdwy])?\b",  # numbers and durations
)
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring"})


def metrics_in(expression: str) -> set[str]:
    """Return the metric names of a PromQL expression (not one that selects by ``__name__``)."""
    for pattern in _NOT_NAMES:
        expression = re.sub(pattern, " ", expression)
    names = re.findall(r"[A-Za-z_:][A-Za-z0-9_:]*\b(?!\s*\()", expression)
    return set(names) - _WORDS
