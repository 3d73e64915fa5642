"""Where each part of the stack is found.

The defaults are the documented ports on loopback; ``WATCHKEEPER_<PART>_URL`` moves one (compose
files and tests use that), and ``WATCHKEEPER_DATA_DIR`` says where state lives.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

DEFAULT_PORTS = {
    "console": 8300,
    "agent": 8301,
    "anomaly": 8302,
    "alerting": 8303,
    "remediation": 8304,
    "taskboard": 8310,
    "prometheus": 9090,
    "grafana": 3000,
}


def url_of(part: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the base URL of ``part`` without a trailing slash; KeyError for an unknown part."""
    environment = os.environ if environment is None else environment
    default = f"http://127.0.0.1:{DEFAULT_PORTS[part]}"
    return environment.get(f"WATCHKEEPER_{part.upper()}_URL", default).rstrip("/")


def data_dir(environment: Mapping[str, str] | None = None) -> Path:
    """Return the directory that holds all state; it may not exist yet."""
    environment = os.environ if environment is None else environment
    return Path(environment.get("WATCHKEEPER_DATA_DIR", "var"))


def api_token(environment: Mapping[str, str] | None = None) -> str | None:
    """Return the token our services ask of each other, or None where loopback is the guard.

    Read from the file named by ``WATCHKEEPER_API_TOKEN_FILE``.
    """
    environment = os.environ if environment is None else environment
    path = environment.get("WATCHKEEPER_API_TOKEN_FILE")
    if not path:
        return None
    return Path(path).read_text(encoding="utf-8").strip() or None
