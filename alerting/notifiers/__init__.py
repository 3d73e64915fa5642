"""The ways to tell people: one file each, found by kind and imported when used."""

from __future__ import annotations

from importlib import import_module

from alerting.notifiers.notifier import Notifier, ReceiverSettings
from watchkeeper.outbound import EgressPolicy

NOTIFIERS = {
    "slack": "alerting.notifiers.slack",
    "email": "alerting.notifiers.email",
    "pagerduty": "alerting.notifiers.pagerduty",
    "slack_api": "alerting.notifiers.slack_api",
    "apprise": "alerting.notifiers.apprise",
    "webhook": "alerting.notifiers.webhook",
}
"""Kind to module. A module holds ``Options`` (its settings) and ``build(options, policy)``."""


def options_of(kind: str) -> type[ReceiverSettings]:
    """Return the settings model of a kind of receiver."""
    model: type[ReceiverSettings] = import_module(NOTIFIERS[kind]).Options
    return model


def build(options: ReceiverSettings, policy: EgressPolicy) -> Notifier:
    """Return the notifier that ``options`` describe; calls go where ``policy`` permits."""
    notifier: Notifier = import_module(NOTIFIERS[options.kind]).build(options, policy)
    return notifier
