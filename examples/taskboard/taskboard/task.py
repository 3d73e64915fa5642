"""A task and the rules by which it changes. Pure: who stores it and who tells is elsewhere."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from taskboard.agents import Agent

MAXIMUM_TITLE_LENGTH = 200


class State(StrEnum):
    """Where a task is in its life."""

    OPEN = "open"
    HANDED_OVER = "handed-over"
    DONE = "done"


class Conflict(Exception):  # noqa: N818  # it names what happened
    """A task cannot be changed as asked in the state it is in."""


class Invalid(ValueError):  # noqa: N818  # it names what happened
    """What was asked makes no sense whatever the state."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task as one agent knows it.

    Attributes:
        id: the same at every agent.
        title: what is to be done, 1 to 200 characters.
        owner: the only agent that may change it, so that copies never conflict.
        state: see State.
        version: grows by one with each change; a copy only ever moves to a higher one.
        estimate_minutes: found out by a worker after creation.
        created_at: aware.
        changed_at: aware; when this version was made.
        handed_over_at: aware; when it was last handed over.
    """

    id: UUID
    title: str
    owner: str
    state: str
    version: int
    estimate_minutes: int | None
    created_at: datetime
    changed_at: datetime
    handed_over_at: datetime | None

    def to_record(self) -> dict[str, Any]:
        """Return the task as JSON values."""
        record = asdict(self)
        record["id"] = str(self.id)
        for moment in ("created_at", "changed_at", "handed_over_at"):
            record[moment] = record[moment] and record[moment].isoformat()
        return record

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """Return the task of ``to_record``; raise KeyError or ValueError for anything else."""
        handed_over_at = record["handed_over_at"]
        return cls(
            id=UUID(record["id"]),
            title=record["title"],
            owner=record["owner"],
            state=record["state"],
            version=record["version"],
            estimate_minutes=record["estimate_minutes"],
            created_at=datetime.fromisoformat(record["created_at"]),
            changed_at=datetime.fromisoformat(record["changed_at"]),
            handed_over_at=handed_over_at and datetime.fromisoformat(handed_over_at),
        )


def new_task(task_id: UUID, title: object, owner: Agent, now: datetime) -> Task:
    """Return a new open task; raise Invalid for a title that is none."""
    if not isinstance(title, str) or not 1 <= len(title.strip()) <= MAXIMUM_TITLE_LENGTH:
        raise Invalid(f"title: expected 1 to {MAXIMUM_TITLE_LENGTH} characters")
    return Task(task_id, title.strip(), owner, State.OPEN, 1, None, now, now, None)


def hand_over(task: Task, by: Agent, now: datetime) -> Task:
    """Return the task handed to the partner of ``by``; raise Conflict unless it is its to give."""
    _require_open(task, by)
    return _changed(
        task, now, owner=by.partner.value, state=State.HANDED_OVER.value, handed_over_at=now
    )


def accept(task: Task, by: Agent, now: datetime) -> Task:
    """Return the handed-over task as open at its new owner; raise Conflict for any other."""
    if task.state != State.HANDED_OVER or task.owner != by:
        raise Conflict(f"task is {task.state} at {task.owner}, not handed over to {by}")
    return _changed(task, now, state=State.OPEN.value)


def complete(task: Task, by: Agent, now: datetime) -> Task:
    """Return the task done; raise Conflict unless it is open at ``by``."""
    _require_open(task, by)
    return _changed(task, now, state=State.DONE.value)


def estimate(task: Task, by: Agent, minutes: int, now: datetime) -> Task:
    """Return the task with its estimate; raise Conflict unless it is open at ``by``."""
    _require_open(task, by)
    return _changed(task, now, estimate_minutes=minutes)


def _require_open(task: Task, by: Agent) -> None:
    if task.owner != by or task.state != State.OPEN:
        raise Conflict(f"task is {task.state} at {task.owner}, not open at {by}")


def _changed(task: Task, now: datetime, **fields: Any) -> Task:
    return replace(task, version=task.version + 1, changed_at=now, **fields)
