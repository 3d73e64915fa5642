"""An incident as a report tells it."""

from datetime import UTC, datetime

import pytest

from dashboards.console.incidents import Incident
from dashboards.report.history import tell

AT = datetime(2026, 1, 5, 9, tzinfo=UTC).isoformat()
DONE = "restart-service on worker: done, checking whether it helped: restarted worker"


def incident(*timeline):
    moments = [{"at": AT, "kind": k, "text": text, "detail": d} for k, text, d in timeline]
    return Incident.model_validate(
        {
            "id": "i", "status": "resolved", "severity": "critical", "title": "No worker",
            "started_at": AT, "resolved_at": AT, "timeline": moments, "alerts": [],
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ({"action": "restart-service", "target": "worker"}, "restart-service on worker"),
        ({"action": "restart-service"}, DONE),
        (None, DONE),
    ],
)
def test_what_fixed_it_is_named_without_how_it_looked_at_first(detail, told):
    verified = ("verified", "tasks are finished", None)
    assert tell(incident(("action-completed", DONE, detail), verified), []).fixed_by == told


def test_nothing_fixed_it_that_was_not_confirmed():
    assert tell(incident(("action-completed", DONE, None)), []).fixed_by == ""
