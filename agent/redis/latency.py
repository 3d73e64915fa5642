"""Commands that took too long: the slow log, and what the latency monitor saw."""

from __future__ import annotations

from collections.abc import Iterator

from agent.family import Family, Sample, single
from agent.redis.info import MICROSECONDS, MILLISECONDS
from agent.resp_answers import Answer, CommandRefused
from watchkeeper.catalogue import redis

QUESTIONS = (("SLOWLOG", "LEN"), ("SLOWLOG", "GET", "1"), ("LATENCY", "LATEST"))


def families_of(
    server: str,
    count: Answer | CommandRefused,
    entries: Answer | CommandRefused,
    spikes: Answer | CommandRefused,
) -> Iterator[Family]:
    """Yield what the answers to ``QUESTIONS`` say; a refused one says nothing."""
    if isinstance(count, int):
        yield single(redis.SLOWLOG_LENGTH, count, (server,))
    if isinstance(entries, list):
        number, _, microseconds = entries[0][:3] if entries else (0, 0, 0)
        yield single(redis.SLOWLOG_LAST_ID, number, (server,))
        yield single(redis.SLOWLOG_LAST, microseconds * MICROSECONDS, (server,))
    if isinstance(spikes, list):
        times: list[Sample] = []
        durations: list[Sample] = []
        for event, seen_at, milliseconds, *_ in spikes:
            labels = (server, event.decode("utf-8", "replace"))
            times.append((labels, seen_at))
            durations.append((labels, milliseconds * MILLISECONDS))
        yield Family(redis.SPIKE_TIME, times)
        yield Family(redis.SPIKE_DURATION, durations)
