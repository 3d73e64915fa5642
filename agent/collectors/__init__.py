"""One file for each thing watched, imported only when it is configured."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from agent.collector import Collector

COLLECTORS = {
    "cpu": "agent.collectors.cpu:CpuCollector",
    "load": "agent.collectors.load:LoadCollector",
    "memory": "agent.collectors.memory:MemoryCollector",
    "vmstat": "agent.collectors.vmstat:VmstatCollector",
    "pressure": "agent.collectors.pressure:PressureCollector",
    "disk": "agent.collectors.disk:DiskCollector",
    "filesystem": "agent.collectors.filesystem:FilesystemCollector",
    "network": "agent.collectors.network:NetworkCollector",
    "netstat": "agent.collectors.netstat:NetstatCollector",
    "sockstat": "agent.collectors.sockstat:SockstatCollector",
    "system": "agent.collectors.system:SystemCollector",
    "process": "agent.collectors.process:ProcessCollector",
    "postgres": "agent.collectors.postgres:PostgresCollector",
    "redis": "agent.collectors.redis:RedisCollector",
    "celery": "agent.collectors.celery:CeleryCollector",
}
"""Kind of collector to where it lives."""

HOST_KINDS = (
    "cpu", "load", "memory", "vmstat", "pressure", "disk", "filesystem", "network", "netstat",
    "sockstat", "system",
)  # fmt: skip
"""The kinds that watch this machine and need nothing but its /proc and /sys."""


def make(kind: str, arguments: Mapping[str, Any]) -> Collector:
    """Import and construct the collector of ``kind``; KeyError for an unknown kind."""
    module, _, attribute = COLLECTORS[kind].partition(":")
    collector: Collector = getattr(import_module(module), attribute)(**arguments)
    return collector
