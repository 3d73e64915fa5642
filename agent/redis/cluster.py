"""A node of a cluster, and a sentinel: what they say of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.family import Family, Sample, single
from agent.redis.info import by_table, parse_info, parts_of_prefix
from agent.resp import RedisConnection
from agent.resp_answers import Answer, CommandRefused
from watchkeeper.catalogue import redis_cluster

DOWN_FLAGS = (b"s_down", b"o_down")
"""How a sentinel marks what it, or a quorum, holds for unreachable."""


def families_of(
    server: str, fields: Mapping[str, str], connection: RedisConnection
) -> Iterator[Family]:
    """Ask what the server's role makes worth asking; nothing of a server on its own.

    Raises:
        UpstreamError: the connection was lost over it.
    """
    if fields.get("cluster_enabled") == "1":
        (answer,) = connection.call_many(("CLUSTER", "INFO"))
        if isinstance(answer, bytes):
            yield from _cluster(server, parse_info(answer.decode("utf-8", "replace")))
    if "sentinel_masters" in fields:
        yield from _sentinel(server, fields, connection)


def _cluster(server: str, fields: Mapping[str, str]) -> Iterator[Family]:
    yield from by_table(redis_cluster.FROM_CLUSTER_INFO, fields, (server,))


def _sentinel(
    server: str, fields: Mapping[str, str], connection: RedisConnection
) -> Iterator[Family]:
    yield from by_table(redis_cluster.FROM_SENTINEL_INFO, fields, (server,))
    for rank, parts in parts_of_prefix(fields, "master").items():
        if not rank.isdecimal():
            continue
        name, address, status = parts["name"], parts["address"], parts["status"]
        labels = (server, name, address)
        healthy = int(status == "ok")
        yield single(redis_cluster.SENTINEL_STATUS, healthy, (*labels, status))
        yield single(redis_cluster.SENTINEL_REPLICAS, int(parts["slaves"]), labels)
        yield single(redis_cluster.SENTINEL_SENTINELS, int(parts["sentinels"]), labels)
        sentinels, replicas, quorum = connection.call_many(
            ("SENTINEL", "SENTINELS", name),
            ("SENTINEL", "SLAVES", name),
            ("SENTINEL", "CKQUORUM", name),
        )
        if isinstance(sentinels, list):
            # The one that answers is not in its own list.
            in_reach = 1 + _in_reach(sentinels)
            yield single(redis_cluster.SENTINEL_GOOD_SENTINELS, in_reach, labels)
        if isinstance(replicas, list):
            yield single(redis_cluster.SENTINEL_GOOD_REPLICAS, _in_reach(replicas), labels)
        yield Family(redis_cluster.SENTINEL_QUORUM, [_quorum(server, name, quorum)])


def _in_reach(peers: list[list[bytes]]) -> int:
    flags = (peer[peer.index(b"flags") + 1] for peer in peers if b"flags" in peer)
    return sum(not any(flag in of_peer for flag in DOWN_FLAGS) for of_peer in flags)


def _quorum(server: str, name: str, answer: Answer | CommandRefused) -> Sample:
    if isinstance(answer, bytes):
        return (server, name, answer.decode("utf-8", "replace")), 1
    return (server, name, str(answer)), 0
