"""What workers' events add up to, within bounds whatever workers and names come and go."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.family import Family, Sample
from watchkeeper.catalogue import celery

BOUNDS_SECONDS = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
"""celery-exporter's: the defaults of prometheus-client."""

SILENT_SECONDS = 60.0
"""A worker beats every 2 s; one not heard for longer than this is down."""

FORGOTTEN_SECONDS = 300.0
"""A worker that is down for so long is no longer told of."""

MOST_WORKERS = 200
"""Workers told of at a time, those heard last."""

MOST_NAMES = 500
"""Task names, queues and exceptions each told apart; any further ones are ``other``."""

MOST_TASKS = 20_000
"""Tasks under way whose names are kept: only their first event says it."""

MOST_CHARACTERS = 512
"""Of a name in an event; what is longer is no event of a worker."""

MOST_ACTIVE = 1_000_000
MOST_SECONDS = 1e9
"""A worker runs fewer tasks, and a task ends sooner (31 years)."""

OTHER = "other"

LAST_EVENTS = frozenset({"task-succeeded", "task-failed", "task-rejected", "task-revoked"})
"""After these nothing more is heard of a task."""

FROM_PUBLISHERS = "task-sent"
"""What no worker sends. Nor do those without ``-E`` tell of tasks: they send only heartbeats."""

Labels = tuple[str, ...]


@dataclass(slots=True)
class _Worker:
    heard_at: float
    is_up: bool
    active: int


@dataclass(slots=True)
class _Runtime:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_SECONDS) + 1))
    sum_seconds: float = 0.0


class _Names:
    """The first so many names; the rest share one."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def known(self, name: str) -> str:
        if name not in self._known:
            if len(self._known) >= MOST_NAMES:
                return OTHER
            self._known.add(name)
        return name


class Tally:
    """Counts events.

    Args:
        default_queue: the queue of tasks whose publisher sends no events.
    """

    def __init__(self, default_queue: str) -> None:
        self.received = 0
        self.last_told_at: float | None = None
        self._default_queue = default_queue
        self._counts: dict[str, dict[Labels, int]] = {kind: {} for kind in celery.FROM_EVENT}
        self._runtimes: dict[Labels, _Runtime] = {}
        self._workers: OrderedDict[str, _Worker] = OrderedDict()
        self._tasks: OrderedDict[str, Labels] = OrderedDict()
        self._names, self._queues, self._exceptions = _Names(), _Names(), _Names()

    def add(self, event: Mapping[str, Any], now: float) -> None:
        """Count one event that came at monotonic second ``now``.

        Raises:
            ValueError: a worker would not send it; nothing was counted.
        """
        kind = _text(event, "type")
        if kind.startswith("worker-"):
            self._add_worker(kind, event, now)
        elif kind in self._counts:
            self._add_task(kind, event)
            if kind != FROM_PUBLISHERS:
                self.last_told_at = now

    def _add_worker(self, kind: str, event: Mapping[str, Any], now: float) -> None:
        hostname = _text(event, "hostname")
        is_up = kind != "worker-offline"
        active = int(_number(event, "active", MOST_ACTIVE)) if is_up else 0
        self._workers[hostname] = _Worker(now, is_up, active)
        self._workers.move_to_end(hostname)
        if len(self._workers) > MOST_WORKERS:
            self._workers.popitem(last=False)

    def _add_task(self, kind: str, event: Mapping[str, Any]) -> None:
        task_id, exception = _text(event, "uuid"), _text(event, "exception", most=None)
        seconds = _number(event, "runtime", MOST_SECONDS)
        labels = self._labels_of(task_id, event)
        if kind == "task-received":
            self.received += 1
        if kind == "task-succeeded":
            self._add_runtime(labels, seconds)
        if kind in LAST_EVENTS:
            self._tasks.pop(task_id, None)
        if kind == "task-failed":
            name = exception.partition("(")[0][:MOST_CHARACTERS]
            labels = (*labels, self._exceptions.known(name))
        counts = self._counts[kind]
        counts[labels] = counts.get(labels, 0) + 1

    def _labels_of(self, task_id: str, event: Mapping[str, Any]) -> Labels:
        labels = self._tasks.get(task_id)
        if labels is None:
            name, queue = _text(event, "name"), _text(event, "queue")
            labels = self._tasks[task_id] = (
                self._names.known(name or OTHER),
                self._queues.known(queue or self._default_queue),
            )
            if len(self._tasks) > MOST_TASKS:
                self._tasks.popitem(last=False)
        return labels

    def _add_runtime(self, labels: Labels, seconds: float) -> None:
        runtime = self._runtimes.setdefault(labels, _Runtime())
        runtime.counts[bisect_left(BOUNDS_SECONDS, seconds)] += 1
        runtime.sum_seconds += seconds

    def families(self, now: float) -> Iterator[Family]:
        """Yield what was counted, and the workers heard of lately, at monotonic second ``now``."""
        for kind, metric in celery.FROM_EVENT.items():
            yield Family(metric, list(self._counts[kind].items()))
        yield from self._runtime_families()
        yield from self._worker_families(now)

    def _runtime_families(self) -> Iterator[Family]:
        buckets: list[Sample] = []
        sums: list[Sample] = []
        counts: list[Sample] = []
        bounds = [*map(str, BOUNDS_SECONDS), "+Inf"]
        for labels, runtime in self._runtimes.items():
            total = 0
            for bound, count in zip(bounds, runtime.counts, strict=True):
                total += count
                buckets.append(((*labels, bound), total))
            sums.append((labels, runtime.sum_seconds))
            counts.append((labels, total))
        metric = celery.TASK_RUNTIME
        yield Family(metric, buckets, suffix="_bucket", extra_labels=("le",))
        yield Family(metric, sums, suffix="_sum")
        yield Family(metric, counts, suffix="_count")

    def _worker_families(self, now: float) -> Iterator[Family]:
        for hostname, worker in list(self._workers.items()):
            if now - worker.heard_at > FORGOTTEN_SECONDS:
                del self._workers[hostname]
        up: list[Sample] = []
        active: list[Sample] = []
        for hostname, worker in self._workers.items():
            is_up = worker.is_up and now - worker.heard_at <= SILENT_SECONDS
            up.append(((hostname,), int(is_up)))
            active.append(((hostname,), worker.active if is_up else 0))
        yield Family(celery.WORKER_UP, up)
        yield Family(celery.WORKER_ACTIVE, active)


def _text(event: Mapping[str, Any], key: str, *, most: int | None = MOST_CHARACTERS) -> str:
    """Return a text of an event, empty without one; raise ValueError for anything else."""
    value = event.get(key) or ""
    if not isinstance(value, str) or (most is not None and len(value) > most):
        raise ValueError(f"no event of a worker: its {key} is no name")
    return value


def _number(event: Mapping[str, Any], key: str, most: float) -> float:
    """Return a number of an event, 0 without one; raise ValueError for what is none, as NaN."""
    value = event.get(key) or 0
    if not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"no event of a worker: its {key} is no such number")
    return value
