"""The dashboards, one file each. Adding one is a new file and one line in ``BOARDS``."""

from __future__ import annotations

from importlib import import_module

from dashboards.spec import Dashboard

BOARDS = {
    "watchkeeper-system": "dashboards.boards.system",
    "watchkeeper-http": "dashboards.boards.http",
    "watchkeeper-host": "dashboards.boards.host",
    "watchkeeper-containers": "dashboards.boards.containers",
    "watchkeeper-python": "dashboards.boards.python",
    "watchkeeper-database": "dashboards.boards.database",
    "watchkeeper-cache": "dashboards.boards.cache",
    "watchkeeper-tasks": "dashboards.boards.tasks",
    "watchkeeper-slo": "dashboards.boards.slo",
    "watchkeeper-anomalies": "dashboards.boards.anomalies",
    "watchkeeper-remediation": "dashboards.boards.remediation",
    "watchkeeper-itself": "dashboards.boards.watchkeeper",
}
"""Uid to the module whose ``DASHBOARD`` has it; the order is the order of the menu."""


def board(uid: str) -> Dashboard:
    """Return the dashboard of a uid; KeyError for an unknown one."""
    found: Dashboard = import_module(BOARDS[uid]).DASHBOARD
    return found


def every_board() -> list[Dashboard]:
    """Return all dashboards in the order of the menu."""
    return [board(uid) for uid in BOARDS]
