"""Asking a service everything its description allows, and some that it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
ROOT = Path(__file__).parents[1]


def findings_of(url: str, *, settings: Path, directory: Path, hooks: str = "") -> str:
    """Return what schemathesis says of the service at ``url``; nothing when it finds nothing.

    Args:
        settings: its file.
        directory: where it may write.
        hooks: a module of ours that it loads first.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if hooks:
        environment["SCHEMATHESIS_HOOKS"] = hooks
    run = subprocess.run(
        [
            SCHEMATHESIS, "--config-file", settings, "run", f"{url}/api/openapi.json",
            "--phases", "coverage", "--request-timeout", "60", "--seed", "1", "--no-color",
        ],
        capture_output=True, text=True, cwd=directory, timeout=300, check=False,
        env=environment,
    )  # fmt: skip
    return "" if run.returncode == 0 else run.stdout + run.stderr
