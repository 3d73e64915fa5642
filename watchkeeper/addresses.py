"""Where each part of the stack is found.

The defaults are the documented ports on loopback; ``WATCHKEEPER_<PART>_URL`` moves one (compose
files and tests use that), and ``WATCHKEEPER_DATA_DIR`` says where state lives.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from watchkeeper.errors import ConfigError, Problem

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


TOKEN_FILE_VARIABLE = "WATCHKEEPER_API_TOKEN_FILE"  # noqa: S105  # the name of a variable

NAMED_TOKENS_VARIABLE = "WATCHKEEPER_API_TOKENS_FILE"


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

    Raises:
        ConfigError: the file cannot be read or is empty; who names one wants the token asked for.
    """
    environment = os.environ if environment is None else environment
    path = environment.get(TOKEN_FILE_VARIABLE)
    if not path:
        return None
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _problem(TOKEN_FILE_VARIABLE, f"{path} cannot be read: {error}") from None
    if not token:
        raise _problem(TOKEN_FILE_VARIABLE, f"{path} is empty; expected a token")
    return token


def named_tokens_file(environment: Mapping[str, str] | None = None) -> Path:
    """Return where the hashes of people's own tokens are kept; the file may not exist."""
    environment = os.environ if environment is None else environment
    named = environment.get(NAMED_TOKENS_VARIABLE)
    return Path(named) if named else data_dir(environment) / "secrets" / "api-tokens.json"


def make_data_dir(path: Path) -> Path:
    """Return ``path``, made for this user alone where it is missing.

    What lies there tells of alerts, queries and incidents. One that is there keeps its mode.

    Raises:
        ConfigError: it cannot be made, or not be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise _problem("data directory", f"{path} cannot be used: {error}") from None


def _problem(where: str, message: str) -> ConfigError:
    return ConfigError([Problem(where, 0, "", message)])
