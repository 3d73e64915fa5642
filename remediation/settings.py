"""What `endpoint.yml` says: the key calls are signed with, and what may be done to what."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import ConfigDict, Field, field_validator

from remediation.targets import Limited
from remediation.targets.cache import CacheTarget
from remediation.targets.command import CommandTarget
from remediation.targets.haproxy import BalancedTarget
from remediation.targets.postgres import BlockerTarget, SlowLogTarget
from remediation.targets.python_process import LoggerTarget, PythonTarget
from remediation.targets.service import NodeTarget, RestartTarget, ScaleTarget
from remediation.targets.switch import SwitchTarget
from watchkeeper.configuration import DurationSeconds, Secret, Settings

KEY_BYTES = range(24, 65)
"""Standard Webhooks 1.0.0: a symmetric key has 24 to 64 bytes."""


class Actions(Settings):
    """By action, the targets it may be done to; nothing else is done to anything."""

    model_config = ConfigDict(populate_by_name=True)

    restart_service: dict[str, RestartTarget] = Field(default_factory=dict, alias="restart-service")
    scale_out: dict[str, ScaleTarget] = Field(default_factory=dict, alias="scale-out")
    auto_scale: dict[str, ScaleTarget] = Field(default_factory=dict, alias="auto-scale")
    scale_immediately: dict[str, ScaleTarget] = Field(
        default_factory=dict, alias="scale-immediately"
    )
    cordon_node: dict[str, NodeTarget] = Field(default_factory=dict, alias="cordon-node")
    clear_cache: dict[str, CacheTarget] = Field(default_factory=dict, alias="clear-cache")
    log_slow_queries: dict[str, SlowLogTarget] = Field(
        default_factory=dict, alias="log-slow-queries"
    )
    terminate_blocker: dict[str, BlockerTarget] = Field(
        default_factory=dict, alias="terminate-blocker"
    )
    run_command: dict[str, CommandTarget] = Field(default_factory=dict, alias="run-command")
    trigger_gc: dict[str, PythonTarget] = Field(default_factory=dict, alias="trigger-gc")
    heap_snapshot: dict[str, PythonTarget] = Field(default_factory=dict, alias="heap-snapshot")
    set_log_level: dict[str, LoggerTarget] = Field(default_factory=dict, alias="set-log-level")
    enable_query_cache: dict[str, SwitchTarget] = Field(
        default_factory=dict, alias="enable-query-cache"
    )
    set_server: dict[str, BalancedTarget] = Field(default_factory=dict, alias="set-server")

    def targets_of(self, action: str) -> dict[str, Limited]:
        """Return what the action may be done to; empty for an unknown one."""
        return dict(getattr(self, action.replace("-", "_"), {}))

    def of_the_supervisor(self) -> list[str]:
        """Return the names of the services that the supervisor runs."""
        kinds = (self.restart_service, self.scale_out, self.auto_scale, self.scale_immediately)
        return [name for kind in kinds for name, one in kind.items() if not one.runtimes()]


class EndpointSettings(Settings):
    """The reference endpoint.

    Attributes:
        signing_secret: Standard Webhooks' ``whsec_`` and base64.
        previous_signing_secret: also accepted, while senders move to a new one.
        tolerance: how far a call's timestamp may be from our clock (the reference verifier of
            Standard Webhooks allows five minutes).
    """

    signing_secret: Secret
    previous_signing_secret: Secret | None = None
    tolerance: Annotated[DurationSeconds, Field(gt=0, le=900)] = 300.0
    actions: Actions = Field(default_factory=Actions)

    @field_validator("signing_secret", "previous_signing_secret")
    @classmethod
    def _is_a_key(cls, secret: Secret | None) -> Secret | None:
        if secret is not None:
            _require_key(secret.reveal())
        return secret

    def secrets(self) -> tuple[str, ...]:
        """Return every secret a call may be signed with."""
        both: tuple[Secret | None, ...] = (self.signing_secret, self.previous_signing_secret)
        return tuple(one.reveal() for one in both if one is not None)


def _require_key(text: str) -> None:
    expected = "expected whsec_ and the base64 of 24 to 64 bytes"
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError(f"{expected}; this is not base64") from None
    if not text.startswith("whsec_") or len(key) not in KEY_BYTES:
        raise ValueError(f"{expected}, got {len(key)} bytes")
