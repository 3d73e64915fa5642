"""Reads an alertmanager.yml and says the same in the words of alerting.yml.

Nothing secret is copied: where one stood, an environment variable is named. What has no counterpart
is told in ``remarks``, never dropped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alerting.matchers import Matcher
from watchkeeper.errors import Refused

Part = Mapping[str, Any]

REPEAT_INTERVAL = "4h"
"""Alertmanager's own, where its file says nothing."""


@dataclass
class Imported:
    """What came of it.

    Attributes:
        content: of alerting.yml.
        remarks: what a person has to do or to know.
        names: the receivers here that each receiver there became.
    """

    content: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)

    def secret(self, *words: str) -> dict[str, str]:
        """Return a reference to an environment variable, and remark that it has to be set."""
        name = re.sub(r"[^A-Z0-9]+", "_", "_".join(("WATCHKEEPER", *words)).upper())
        self.remarks.append(f"set {name} to the secret of the same place in the old file")
        return {"env": name}


def convert(old: Any) -> Imported:
    """Return what ``old``, the content of an alertmanager.yml, says.

    Raises:
        Refused: it is no configuration of Alertmanager.
    """
    if not isinstance(old, dict) or not isinstance(old.get("route"), dict):
        raise Refused("expected Alertmanager's configuration, with a route")
    found = Imported()
    shared = old.get("global") or {}
    _receivers(old.get("receivers") or [], shared, found)
    route = old["route"]
    found.content |= {
        "resolve_timeout": shared.get("resolve_timeout", "5m"),
        "group_by": _group_by(route, found),
        "update_interval": route.get("group_interval", "5m"),
        "inhibit_rules": [_inhibit_rule(rule) for rule in old.get("inhibit_rules") or []],
        "time_intervals": [
            *(old.get("time_intervals") or []), *(old.get("mute_time_intervals") or []),
        ],
        "route": {"repeat_interval": REPEAT_INTERVAL, **_route(route, found)},
    }  # fmt: skip
    if old.get("templates"):
        found.remarks.append("templates are not taken over: messages here have one form")
    return found


def _group_by(route: Part, found: Imported) -> list[str]:
    labels = list(route.get("group_by") or [])
    if labels == ["..."]:
        found.remarks.append("group_by: ['...'] has no counterpart; grouped by alertname, instance")
        return ["alertname", "instance"]
    return labels or ["alertname"]


def _route(route: Part, found: Imported) -> dict[str, Any]:
    result: dict[str, Any] = {}
    matchers = _matchers(route, "match", "match_re", "matchers")
    if matchers:
        result["match"] = matchers
    if route.get("receiver"):
        result["receivers"] = found.names.get(route["receiver"], [])
    for key in _SAME_HERE:
        if route.get(key):
            result[key] = route[key]
    if route.get("routes"):
        result["routes"] = [_route(branch, found) for branch in route["routes"]]
    return result


_SAME_HERE = (
    "continue", "mute_time_intervals", "active_time_intervals", "repeat_interval", "group_wait",
)  # fmt: skip


def _matchers(part: Part, equal: str, expression: str, newer: str) -> list[str]:
    """Return the matchers of a part in the one spelling there is here, whatever they stand in."""
    found = [Matcher.of(name, "=", str(text)) for name, text in (part.get(equal) or {}).items()]
    found += [
        Matcher.of(name, "=~", str(text)) for name, text in (part.get(expression) or {}).items()
    ]
    found += [Matcher.parse(text) for text in part.get(newer) or []]
    return [str(matcher) for matcher in found]


def _inhibit_rule(rule: Part) -> dict[str, Any]:
    return {
        "source_matchers": _matchers(rule, "source_match", "source_match_re", "source_matchers"),
        "target_matchers": _matchers(rule, "target_match", "target_match_re", "target_matchers"),
        "equal": list(rule.get("equal") or []),
    }


def _receivers(receivers: Sequence[Part], shared: Part, found: Imported) -> None:
    converted = []
    for receiver in receivers:
        base = re.sub(r"[^A-Za-z0-9_]+", "_", str(receiver["name"]))
        names = found.names.setdefault(receiver["name"], [])
        for key, settings in receiver.items():
            if key == "name":
                continue
            build = _KINDS.get(key)
            if build is None:
                found.remarks.append(f"{receiver['name']}: {key} is not taken over; an `apprise` "
                                     "receiver can take its place")  # fmt: skip
                continue
            for number, one in enumerate(settings or [], start=1):
                name = f"{base}-{key.partition('_')[0]}" + (f"-{number}" if number > 1 else "")
                converted.append({"name": name, **build(name, one, shared, found)})
                names.append(name)
    found.content["receivers"] = converted


def _slack(name: str, _one: Part, _shared: Part, found: Imported) -> dict[str, Any]:
    return {"kind": "slack", "webhook_url": found.secret(name, "url")}


def _pagerduty(name: str, _one: Part, _shared: Part, found: Imported) -> dict[str, Any]:
    return {"kind": "pagerduty", "routing_key": found.secret(name, "routing_key")}


def _webhook(name: str, one: Part, _shared: Part, found: Imported) -> dict[str, Any]:
    found.remarks.append(f"{name}: gets the incident as a signed Standard Webhook, not version 4")
    return {
        "kind": "webhook", "url": one["url"], "signing_secret": found.secret(name, "signing_secret")
    }  # fmt: skip


def _email(name: str, one: Part, shared: Part, found: Imported) -> dict[str, Any]:
    host, _, port = str(one.get("smarthost") or shared.get("smtp_smarthost", "")).rpartition(":")
    result: dict[str, Any] = {
        "kind": "email",
        "host": host,
        "port": int(port),
        "sender": one.get("from") or shared.get("smtp_from", ""),
        "to": [address.strip() for address in str(one["to"]).split(",")],
    }
    username = one.get("auth_username") or shared.get("smtp_auth_username")
    if username:
        result |= {"username": username, "password": found.secret(name, "password")}
    return result


_KINDS: dict[str, Callable[[str, Part, Part, Imported], dict[str, Any]]] = {
    "slack_configs": _slack,
    "pagerduty_configs": _pagerduty,
    "webhook_configs": _webhook,
    "email_configs": _email,
}
"""What each kind of receiver there is here."""
