"""What INFO says of a server, by the tables of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.family import Family, Sample, single
from watchkeeper.catalogue import Metric, redis

DATABASES = 16
"""How many there are where CONFIG GET is not allowed to say; the default of every version."""

MICROSECONDS = 1e-6
MILLISECONDS = 1e-3

COMMAND_STATISTICS = {
    "calls": (redis.COMMANDS, 1),
    "usec": (redis.COMMANDS_DURATION, MICROSECONDS),
    "rejected_calls": (redis.COMMANDS_REJECTED, 1),
    "failed_calls": (redis.COMMANDS_FAILED, 1),
}
"""Metric and factor by part of a cmdstat line."""


Parts = Mapping[str, Mapping[str, str]]
"""What fields of one prefix say, part by part, by the rest of their name."""


def parse_info(text: str) -> dict[str, str]:
    """Return the fields of an INFO answer, all sections together."""
    lines = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
    return {field: value for field, colon, value in lines if colon}


def families_of(
    server: str, fields: Mapping[str, str], config: Mapping[str, str]
) -> Iterator[Family]:
    """Yield what INFO and CONFIG say, by the tables of the catalogue."""
    yield from by_table(redis.FROM_INFO, fields, (server,))
    yield from by_table(redis.FROM_CONFIG, config, (server,))
    fork = _number(fields.get("latest_fork_usec"))
    if fork is not None:
        yield single(redis.LATEST_FORK, fork * MICROSECONDS, (server,))
    yield from _start_time(server, fields)
    yield single(redis.INSTANCE_INFO, 1, _instance(server, fields))
    detailed = {field: value for field, value in fields.items() if "=" in value}
    yield from _replication(server, fields, parts_of_prefix(detailed, "slave"))
    statistics = parts_of_prefix(detailed, "cmdstat_")
    yield from _commands(server, statistics)
    percentiles = parts_of_prefix(detailed, "latency_percentiles_usec_")
    yield from _latencies(server, percentiles, statistics)
    errors = parts_of_prefix(detailed, "errorstat_")
    yield Family(redis.ERRORS, [((server, err), int(p["count"])) for err, p in errors.items()])
    yield from _databases(server, fields, int(config.get("databases", DATABASES)))


def by_table(
    table: Mapping[str, Metric], fields: Mapping[str, str], labels: tuple[str, ...]
) -> Iterator[Family]:
    """Yield the metrics of ``table`` whose field is there and is a number or a state."""
    for field, metric in table.items():
        number = _number(fields.get(field))
        if number is not None:
            yield single(metric, number, labels)


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    if text in ("ok", "err", "fail", "up", "down"):
        return int(text in ("ok", "up"))
    try:
        return int(text) if text.lstrip("-").isdecimal() else float(text.removesuffix("%"))
    except ValueError:
        return None


def _start_time(server: str, fields: Mapping[str, str]) -> Iterator[Family]:
    now, uptime = _number(fields.get("server_time_usec")), _number(fields.get("uptime_in_seconds"))
    if now is not None and uptime is not None:
        yield single(redis.START_TIME, int(now * MICROSECONDS - uptime), (server,))


def _instance(server: str, fields: Mapping[str, str]) -> tuple[str, ...]:
    labels = redis.INSTANCE_INFO.labels[1:]
    return (server, *(fields.get(label, "") for label in labels))


def _replication(server: str, fields: Mapping[str, str], replicas: Parts) -> Iterator[Family]:
    if "master_host" in fields:
        labels = (server, fields["master_host"], fields.get("master_port", ""))
        yield from by_table(redis.OF_PRIMARY, fields, labels)
        yield single(redis.REPLICA_INFO, 1, (*labels, fields.get("slave_read_only", "0")))
    offsets: list[Sample] = []
    lags: list[Sample] = []
    for rank, parts in replicas.items():
        if rank.isdecimal():
            replica = (server, parts["ip"], parts["port"], parts["state"])
            offsets.append((replica, int(parts["offset"])))
            lags.append((replica, int(parts["lag"])))
    yield Family(redis.REPLICA_OFFSET, offsets)
    yield Family(redis.REPLICA_LAG, lags)


def _commands(server: str, statistics: Parts) -> Iterator[Family]:
    for part, (metric, factor) in COMMAND_STATISTICS.items():
        samples: list[Sample] = [
            ((server, command), float(parts[part]) * factor)
            for command, parts in statistics.items()
            if part in parts
        ]
        yield Family(metric, samples)


def _latencies(server: str, percentiles: Parts, statistics: Parts) -> Iterator[Family]:
    quantiles: list[Sample] = [
        ((server, command, quantile.removeprefix("p")), float(microseconds))
        for command, parts in percentiles.items()
        for quantile, microseconds in parts.items()
    ]
    yield Family(redis.LATENCY, quantiles, extra_labels=("quantile",))
    for suffix, part in (("_sum", "usec"), ("_count", "calls")):
        samples: list[Sample] = [
            ((server, command), float(statistics[command][part]))
            for command in percentiles
            if command in statistics
        ]
        yield Family(redis.LATENCY, samples, suffix=suffix)


def _databases(server: str, fields: Mapping[str, str], count: int) -> Iterator[Family]:
    keys: list[Sample] = []
    expiring: list[Sample] = []
    ttl: list[Sample] = []
    for db in (f"db{number}" for number in range(count)):
        parts = _parts(fields.get(db, "keys=0,expires=0"))
        keys.append(((server, db), int(parts["keys"])))
        expiring.append(((server, db), int(parts["expires"])))
        if "avg_ttl" in parts:
            ttl.append(((server, db), int(parts["avg_ttl"]) * MILLISECONDS))
    yield Family(redis.DB_KEYS, keys)
    yield Family(redis.DB_KEYS_EXPIRING, expiring)
    yield Family(redis.DB_AVERAGE_TTL, ttl)


def parts_of_prefix(fields: Mapping[str, str], prefix: str) -> dict[str, dict[str, str]]:
    """Return the parts of each field that starts with ``prefix``, by the rest of its name."""
    return {
        field.removeprefix(prefix): _parts(value)
        for field, value in fields.items()
        if field.startswith(prefix)
    }


def _parts(text: str) -> dict[str, str]:
    """Return the pairs of ``a=1,b=2``."""
    return dict(pair.split("=", 1) for pair in text.split(",") if "=" in pair)
