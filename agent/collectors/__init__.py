"""One file for each thing watched, imported only when it is configured."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from agent.collector import Collector

COLLECTORS = {
    "cpu": "agent.collectors.cpu:CpuCollector",
    "frequency": "agent.collectors.frequency:FrequencyCollector",
    "schedstat": "agent.collectors.schedstat:SchedstatCollector",
    "load": "agent.collectors.load:LoadCollector",
    "memory": "agent.collectors.memory:MemoryCollector",
    "vmstat": "agent.collectors.vmstat:VmstatCollector",
    "pressure": "agent.collectors.pressure:PressureCollector",
    "disk": "agent.collectors.disk:DiskCollector",
    "filesystem": "agent.collectors.filesystem:FilesystemCollector",
    "network": "agent.collectors.network:NetworkCollector",
    "netstat": "agent.collectors.netstat:NetstatCollector",
    "sockstat": "agent.collectors.sockstat:SockstatCollector",
    "softnet": "agent.collectors.softnet:SoftnetCollector",
    "udp-queues": "agent.collectors.udp_queues:UdpQueuesCollector",
    "interrupts": "agent.collectors.interrupts:InterruptsCollector",
    "tcp-states": "agent.collectors.tcp_states:TcpStatesCollector",
    "conntrack": "agent.collectors.conntrack:ConntrackCollector",
    "arp": "agent.collectors.arp:ArpCollector",
    "bonding": "agent.collectors.bonding:BondingCollector",
    "processes": "agent.collectors.processes:ProcessesCollector",
    "clock": "agent.collectors.clock:ClockCollector",
    "identity": "agent.collectors.identity:IdentityCollector",
    "thermal": "agent.collectors.thermal:ThermalCollector",
    "hwmon": "agent.collectors.hwmon:HwmonCollector",
    "power": "agent.collectors.power:PowerCollector",
    "firmware": "agent.collectors.firmware:FirmwareCollector",
    "raid": "agent.collectors.raid:RaidCollector",
    "edac": "agent.collectors.edac:EdacCollector",
    "system": "agent.collectors.system:SystemCollector",
    "systemd": "agent.collectors.systemd:SystemdCollector",
    "containers": "agent.collectors.containers:ContainersCollector",
    "named-processes": "agent.collectors.named_processes:NamedProcessesCollector",
    "textfile": "agent.collectors.textfile:TextfileCollector",
    "process": "agent.collectors.process:ProcessCollector",
    "postgres": "agent.collectors.postgres:PostgresCollector",
    "mysql": "agent.collectors.mysql:MysqlCollector",
    "redis": "agent.collectors.redis:RedisCollector",
    "celery": "agent.collectors.celery:CeleryCollector",
    "rq": "agent.collectors.rq:RqCollector",
    "dramatiq": "agent.collectors.dramatiq:DramatiqCollector",
    "rabbitmq": "agent.collectors.rabbitmq:RabbitmqCollector",
    "probe": "agent.collectors.probe:ProbeCollector",
}
"""Kind of collector to where it lives."""

HOST_KINDS: dict[str, tuple[str, ...]] = {
    "cpu": ("proc",),
    "frequency": ("sys",),
    "schedstat": ("proc",),
    "load": ("proc",),
    "memory": ("proc",),
    "vmstat": ("proc",),
    "pressure": ("proc",),
    "disk": ("proc", "root"),
    "filesystem": ("proc", "root"),
    "network": ("sys",),
    "netstat": ("proc",),
    "sockstat": ("proc",),
    "softnet": ("proc",),
    "udp-queues": ("proc",),
    "tcp-states": (),
    "interrupts": ("proc",),
    "conntrack": ("proc",),
    "arp": ("proc",),
    "bonding": ("sys",),
    "processes": ("proc",),
    "clock": ("sys",),
    "identity": ("proc", "root"),
    "thermal": ("sys",),
    "hwmon": ("sys",),
    "power": ("sys",),
    "firmware": ("sys",),
    "raid": ("proc",),
    "edac": ("sys",),
    "system": ("proc", "sys"),
    "systemd": ("root",),
    "containers": ("proc", "sys"),
}
"""The kinds that watch this machine, and which of its trees each is told of."""

WAITING_KINDS = frozenset(
    {"filesystem", "processes", "tcp-states", "hwmon", "systemd", "containers"}
)
"""Host kinds with a thread of their own: they may wait for others, or take long."""

OFF_BY_DEFAULT = frozenset({"processes", "tcp-states", "interrupts"})
"""Host kinds that run only when they are named: their cost grows with the machine."""

SLOW_HOST_KINDS = frozenset(
    {
        "processes", "identity", "raid", "edac", "thermal", "frequency", "hwmon", "power",
        "firmware", "systemd", "containers", "tcp-states", "interrupts",
    }
)  # fmt: skip
"""Run at the slow interval: they cost more, or change slower."""


def make(kind: str, arguments: Mapping[str, Any]) -> Collector:
    """Import and construct the collector of ``kind``; KeyError for an unknown kind."""
    module, _, attribute = COLLECTORS[kind].partition(":")
    collector: Collector = getattr(import_module(module), attribute)(**arguments)
    return collector
