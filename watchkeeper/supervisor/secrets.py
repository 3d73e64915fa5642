"""The secrets of a stack on one machine, made once and kept."""

from __future__ import annotations

import base64
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from watchkeeper import addresses

KEY_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""


def webhook_secret() -> str:
    """Return a new signing secret in Standard Webhooks' form."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def ensure(data_dir: Path, environment: Mapping[str, str] | None = None) -> None:
    """Make what is missing: the webhook secret, and the token Prometheus sends when it scrapes.

    On loopback services ask for no token and any will do; where ``WATCHKEEPER_API_TOKEN_FILE``
    names one, Prometheus gets that.

    Raises:
        ConfigError: that file cannot be read or is empty.
    """
    token = addresses.api_token(environment)
    _write_once(data_dir / "secrets" / "remediation-webhook", webhook_secret())
    for_prometheus = data_dir / "prometheus" / "secrets" / "api-token"
    if token:
        for_prometheus.unlink(missing_ok=True)
        _write_once(for_prometheus, token)
    else:
        _write_once(for_prometheus, secrets.token_urlsafe(KEY_BYTES))


def _write_once(path: Path, value: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists() and path.stat().st_size:
        return
    # Under its name only when it is whole: a full disk must not leave an empty secret for good.
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(value + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)
