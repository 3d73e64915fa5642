"""Puts transitions together that one person would call one problem."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from alerting.pipeline import Batch, Work
from alerting.transitions import Transition


class Group:
    """Groups by the configured labels; what already belongs to an incident stays with it."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Return the transitions by group key."""
        groups: dict[str, list[Transition]] = {}
        for transition in batch.transitions:
            key = group_key(transition.alert.labels, work.settings.group_by)
            groups.setdefault(key, []).append(transition)
        return replace(batch, groups=groups)


def group_key(labels: Mapping[str, str], group_by: Sequence[str]) -> str:
    """Return one text for all alerts that agree in the labels of ``group_by``."""
    return json.dumps({name: labels.get(name, "") for name in sorted(group_by)}, sort_keys=True)
