"""Whether alerting.yml and remediation.yml, each right by itself, also fit together."""

from __future__ import annotations

from pathlib import Path

from alerting.remediation_rules import RemediationSettings
from alerting.settings import AlertingSettings
from watchkeeper.check import config_file
from watchkeeper.configuration import line_of, load
from watchkeeper.errors import ConfigError, Problem


def problems_in(config_dir: Path | None) -> list[Problem]:
    """Return every receiver that a rule tells or escalates to and that does not exist."""
    place = config_file("remediation.yml", config_dir)
    try:
        rules = load(place, RemediationSettings).rules
        receivers = load(config_file("alerting.yml", config_dir), AlertingSettings).receivers
    except ConfigError:
        return []  # told where each file is checked by itself
    known = [receiver.name for receiver in receivers]
    return [
        Problem(
            str(place),
            line_of(place, "rules") or 1,
            f"rules[{index}].{key}",
            f"no receiver {name} in alerting.yml; known there: {', '.join(known) or 'none'}",
        )
        for index, rule in enumerate(rules)
        for key in ("tell", "escalate_to")
        for name in getattr(rule, key)
        if name not in known
    ]
