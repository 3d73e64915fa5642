"""Filling ``{{ labels.NAME }}`` in targets, parameters and queries with an alert's labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from watchkeeper.errors import Refused

_PLACE = re.compile(r"\{\{\s*labels\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


ABOUT_THE_ALERT = "{{ labels.alertname }}"
"""What a message is about whose rule names nothing else."""


class LabelMissing(Refused):
    """A template asks for a label the alert does not carry."""


def fill(template: str, labels: Mapping[str, str]) -> str:
    """Return ``template`` with its places filled; raise LabelMissing for an absent label."""
    return _PLACE.sub(lambda place: _label(place.group(1), labels), template)


def fill_query(template: str, labels: Mapping[str, str]) -> str:
    """Return a PromQL template filled with labels as the inside of a quoted string.

    Labels come from whoever can post an alert, so a quote in one must not end the string.
    """
    return _PLACE.sub(lambda place: _escaped(_label(place.group(1), labels)), template)


def fill_parameters(parameters: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """Return ``parameters`` with every text value filled."""
    return {
        name: fill(value, labels) if isinstance(value, str) else value
        for name, value in parameters.items()
    }


def _label(name: str, labels: Mapping[str, str]) -> str:
    value = labels.get(name, "")
    if not value:
        raise LabelMissing(f"the alert has no label {name}")
    return value


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
