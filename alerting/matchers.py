"""Alertmanager's matchers: ``name="value"``, ``!=``, ``=~`` and ``!~`` on labels."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

_SHAPE = re.compile(
    r"\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>.*?)\s*"
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Matcher:
    """One condition on a label; a label that is absent counts as empty, as in Alertmanager."""

    name: str
    operator: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Matcher:
        """Read ``severity="critical"`` (quotes optional); raise ValueError saying what is wrong."""
        found = _SHAPE.fullmatch(text)
        if found is None:
            raise ValueError(f'expected a matcher such as severity="critical", got {text!r}')
        value = found["value"]
        if value.startswith('"'):
            try:
                value = json.loads(value)
            except json.JSONDecodeError:
                raise ValueError(f"the quoted value of {text!r} does not end properly") from None
        return cls.of(found["name"], found["operator"], str(value))

    @classmethod
    def of(cls, name: str, operator: str, value: str) -> Matcher:
        """Return a matcher of these parts; raise ValueError saying what is wrong with them."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no label name")
        if "~" in operator:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"{value!r} is not a regular expression: {error}") from None
        return cls(name, operator, value)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether ``labels`` meet the condition; expressions are anchored at both ends."""
        actual = labels.get(self.name, "")
        if "~" in self.operator:
            met = self._pattern.fullmatch(actual) is not None
        else:
            met = actual == self.value
        return met != self.operator.startswith("!")

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{json.dumps(self.value, ensure_ascii=False)}"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())


def all_match(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """Return whether ``labels`` meet every matcher; none at all match everything."""
    return all(matcher.matches(labels) for matcher in matchers)
