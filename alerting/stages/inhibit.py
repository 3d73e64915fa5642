"""Mutes what a graver alert explains already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from alerting import tables
from alerting.matchers import all_match
from alerting.pipeline import Batch, Work
from alerting.settings import InhibitSettings

Labelled = tuple[str, Mapping[str, str]]
"""Fingerprint and labels of a firing alert."""


class Inhibit:
    """Applies the inhibition rules with Alertmanager's meaning."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Return the transitions, each with the alerts that mute it."""
        rules = work.settings.inhibit_rules
        targets = [t for t in batch.transitions if _is_target(t.alert.labels, rules)]
        if not targets:
            return batch
        firing = _firing(work)
        transitions = [
            t.muted("inhibited", inhibitors((t.alert.fingerprint, t.alert.labels), firing, rules))
            for t in batch.transitions
        ]
        return replace(batch, transitions=transitions)


def inhibitors(
    target: Labelled, firing: Sequence[Labelled], rules: Sequence[InhibitSettings]
) -> list[str]:
    """Return the fingerprints of the firing alerts that mute ``target``.

    An alert never mutes itself, and two that are source and target of one rule at once do not mute
    each other, or both would fall silent.
    """
    return [
        fingerprint
        for rule in rules
        if all_match(rule.target_matchers, target[1])
        for fingerprint, labels in firing
        if fingerprint != target[0]
        and all_match(rule.source_matchers, labels)
        and not (_is_both(rule, labels) and _is_both(rule, target[1]))
        and all(labels.get(name, "") == target[1].get(name, "") for name in rule.equal)
    ]


def _is_both(rule: InhibitSettings, labels: Mapping[str, str]) -> bool:
    return all_match(rule.source_matchers, labels) and all_match(rule.target_matchers, labels)


def _is_target(labels: Mapping[str, str], rules: Sequence[InhibitSettings]) -> bool:
    return any(all_match(rule.target_matchers, labels) for rule in rules)


def _firing(work: Work) -> list[Labelled]:
    table = tables.alerts
    rows = work.connection.execute(
        sa.select(table.c.fingerprint, table.c.labels).where(table.c.status == "firing")
    )
    return [(row.fingerprint, row.labels) for row in rows]
