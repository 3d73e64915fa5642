"""The machine: node_exporter's names, types and labels, so that published dashboards work."""

from watchkeeper.catalogue.metric import Metric, counter, gauge, untyped

# Processors, load and the scheduler (/proc/stat, /proc/loadavg).
CPU_SECONDS = counter(
    "node_cpu_seconds_total", "Time each CPU spent in each mode.", ("cpu", "mode"), unit="seconds"
)
CPU_GUEST_SECONDS = counter(
    "node_cpu_guest_seconds_total",
    "Time each CPU ran guests, by mode.",
    ("cpu", "mode"),
    unit="seconds",
)
LOAD1 = gauge("node_load1", "Load average over 1 minute.")
LOAD5 = gauge("node_load5", "Load average over 5 minutes.")
LOAD15 = gauge("node_load15", "Load average over 15 minutes.")
CONTEXT_SWITCHES = counter("node_context_switches_total", "Context switches since boot.")
FORKS = counter("node_forks_total", "Processes and threads created since boot.")
INTERRUPTS = counter("node_intr_total", "Interrupts served since boot.")
INTERRUPTS_BY_LINE = counter(
    "node_interrupts_total",
    "Interrupts served, by line and CPU.",
    ("cpu", "type", "info", "devices"),
)
BOOT_TIME = gauge("node_boot_time_seconds", "When the machine booted, Unix time.", unit="seconds")
PROCS_RUNNING = gauge("node_procs_running", "Processes that run or wait for a CPU.")
PROCS_BLOCKED = gauge("node_procs_blocked", "Processes that wait for I/O.")
SCHEDSTAT_RUNNING = counter(
    "node_schedstat_running_seconds_total",
    "Time processes ran on each CPU.",
    ("cpu",),
    unit="seconds",
)
SCHEDSTAT_WAITING = counter(
    "node_schedstat_waiting_seconds_total",
    "Time runnable processes waited for each CPU.",
    ("cpu",),
    unit="seconds",
)
SCHEDSTAT_TIMESLICES = counter(
    "node_schedstat_timeslices_total", "Time slices run on each CPU.", ("cpu",)
)

# Pressure stall information (/proc/pressure, Linux 4.20).
PRESSURE_CPU_WAITING = counter(
    "node_pressure_cpu_waiting_seconds_total", "Time some task waited for a CPU.", unit="seconds"
)
PRESSURE_MEMORY_WAITING = counter(
    "node_pressure_memory_waiting_seconds_total",
    "Time some task waited for memory.",
    unit="seconds",
)
PRESSURE_MEMORY_STALLED = counter(
    "node_pressure_memory_stalled_seconds_total",
    "Time all tasks waited for memory.",
    unit="seconds",
)
PRESSURE_IO_WAITING = counter(
    "node_pressure_io_waiting_seconds_total", "Time some task waited for I/O.", unit="seconds"
)
PRESSURE_IO_STALLED = counter(
    "node_pressure_io_stalled_seconds_total", "Time all tasks waited for I/O.", unit="seconds"
)
PRESSURE_IRQ_STALLED = counter(
    "node_pressure_irq_stalled_seconds_total",
    "Time all tasks waited for interrupts to be served (Linux 6.1).",
    unit="seconds",
)

# Memory (/proc/meminfo): one gauge a field, whatever fields the kernel has.
_MEMORY_FIELDS_BYTES = (
    "Active", "Active(anon)", "Active(file)", "AnonHugePages", "AnonPages", "Bounce", "Buffers",
    "Cached", "CmaFree", "CmaTotal", "CommitLimit", "Committed_AS", "DirectMap1G", "DirectMap2M",
    "DirectMap4k", "Dirty", "FileHugePages", "FilePmdMapped", "HardwareCorrupted", "Hugepagesize",
    "Hugetlb", "Inactive", "Inactive(anon)", "Inactive(file)", "KReclaimable", "KernelStack",
    "Mapped", "MemAvailable", "MemFree", "MemTotal", "Mlocked", "NFS_Unstable", "PageTables",
    "Percpu", "SReclaimable", "SUnreclaim", "SecPageTables", "Shmem", "ShmemHugePages",
    "ShmemPmdMapped", "Slab", "SwapCached", "SwapFree", "SwapTotal", "Unaccepted", "Unevictable",
    "VmallocChunk", "VmallocTotal", "VmallocUsed", "Writeback", "WritebackTmp", "Zswap", "Zswapped",
)  # fmt: skip
_MEMORY_FIELDS_PAGES = ("HugePages_Free", "HugePages_Rsvd", "HugePages_Surp", "HugePages_Total")


def memory_field(field: str, *, has_unit: bool) -> Metric:
    """Describe the gauge of a meminfo field; ``has_unit`` when the kernel counts it in kB."""
    name = field.replace("(", "_").replace(")", "")
    if not has_unit:
        return gauge(f"node_memory_{name}", f"{field} of /proc/meminfo.")
    return gauge(f"node_memory_{name}_bytes", f"{field} of /proc/meminfo.", unit="bytes")


MEMORY = {
    field: memory_field(field, has_unit=field not in _MEMORY_FIELDS_PAGES)
    for field in (*_MEMORY_FIELDS_BYTES, *_MEMORY_FIELDS_PAGES)
}
"""Gauge by meminfo field, for the fields known when this was written."""
MEMORY_TOTAL = MEMORY["MemTotal"]
MEMORY_FREE = MEMORY["MemFree"]
MEMORY_AVAILABLE = MEMORY["MemAvailable"]
MEMORY_BUFFERS = MEMORY["Buffers"]
MEMORY_CACHED = MEMORY["Cached"]
SWAP_TOTAL = MEMORY["SwapTotal"]
SWAP_FREE = MEMORY["SwapFree"]

# Virtual memory (/proc/vmstat). node_exporter declares no type for these.
VMSTAT = {
    field: untyped(f"node_vmstat_{field}", f"{field} of /proc/vmstat.")
    for field in (
        "oom_kill", "pgfault", "pgmajfault", "pgpgin", "pgpgout", "pswpin", "pswpout",
    )
}  # fmt: skip
"""Metric by vmstat field; the fields node_exporter keeps by default."""

# Disks (/proc/diskstats), in the order of the kernel's columns.
DISK_READS = counter("node_disk_reads_completed_total", "Reads completed.", ("device",))
DISK_READS_MERGED = counter("node_disk_reads_merged_total", "Reads merged.", ("device",))
DISK_READ_BYTES = counter("node_disk_read_bytes_total", "Bytes read.", ("device",), unit="bytes")
DISK_READ_TIME = counter(
    "node_disk_read_time_seconds_total", "Time spent on reads.", ("device",), unit="seconds"
)
DISK_WRITES = counter("node_disk_writes_completed_total", "Writes completed.", ("device",))
DISK_WRITES_MERGED = counter("node_disk_writes_merged_total", "Writes merged.", ("device",))
DISK_WRITTEN_BYTES = counter(
    "node_disk_written_bytes_total", "Bytes written.", ("device",), unit="bytes"
)
DISK_WRITE_TIME = counter(
    "node_disk_write_time_seconds_total", "Time spent on writes.", ("device",), unit="seconds"
)
DISK_IO_NOW = gauge("node_disk_io_now", "Operations in progress.", ("device",))
DISK_IO_TIME = counter(
    "node_disk_io_time_seconds_total",
    "Time with operations in progress.",
    ("device",),
    unit="seconds",
)
DISK_IO_WEIGHTED = counter(
    "node_disk_io_time_weighted_seconds_total",
    "Time spent on operations, each counted while in progress.",
    ("device",),
    unit="seconds",
)
DISK_DISCARDS = counter("node_disk_discards_completed_total", "Discards completed.", ("device",))
DISK_DISCARDS_MERGED = counter("node_disk_discards_merged_total", "Discards merged.", ("device",))
DISK_DISCARDED_SECTORS = counter(
    "node_disk_discarded_sectors_total", "Sectors discarded.", ("device",)
)
DISK_DISCARD_TIME = counter(
    "node_disk_discard_time_seconds_total", "Time spent on discards.", ("device",), unit="seconds"
)
DISK_FLUSHES = counter("node_disk_flush_requests_total", "Flushes completed.", ("device",))
DISK_FLUSH_TIME = counter(
    "node_disk_flush_requests_time_seconds_total",
    "Time spent on flushes.",
    ("device",),
    unit="seconds",
)

DISK_INFO = gauge(
    "node_disk_info",
    "Always 1; what udev knows of the disk as labels.",
    ("device", "major", "minor", "model", "path", "revision", "serial", "wwn"),
)

# File systems (/proc/self/mountinfo and statvfs).
_MOUNT = ("device", "fstype", "mountpoint")
FILESYSTEM_SIZE = gauge("node_filesystem_size_bytes", "Size.", _MOUNT, unit="bytes")
FILESYSTEM_FREE = gauge("node_filesystem_free_bytes", "Free space.", _MOUNT, unit="bytes")
FILESYSTEM_AVAILABLE = gauge(
    "node_filesystem_avail_bytes", "Space left for ordinary users.", _MOUNT, unit="bytes"
)
FILESYSTEM_FILES = gauge("node_filesystem_files", "Inodes.", _MOUNT)
FILESYSTEM_FILES_FREE = gauge("node_filesystem_files_free", "Free inodes.", _MOUNT)
FILESYSTEM_READONLY = gauge("node_filesystem_readonly", "1 when mounted read-only.", _MOUNT)
FILESYSTEM_DEVICE_ERROR = gauge(
    "node_filesystem_device_error", "1 when its state could not be read.", _MOUNT
)

# Network devices (/proc/net/dev), in the order of the kernel's columns.
NETWORK_RECEIVE = {
    column: counter(f"node_network_receive_{column}_total", f"Received: {column}.", ("device",))
    for column in (
        "bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast",
    )
}  # fmt: skip
NETWORK_TRANSMIT = {
    column: counter(f"node_network_transmit_{column}_total", f"Sent: {column}.", ("device",))
    for column in (
        "bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed",
    )
}  # fmt: skip
NETWORK_RECEIVE_BYTES = NETWORK_RECEIVE["bytes"]
NETWORK_TRANSMIT_BYTES = NETWORK_TRANSMIT["bytes"]
NETWORK_RECEIVE_NOHANDLER = counter(
    "node_network_receive_nohandler_total",
    "Received, with nobody to take it.",
    ("device",),
)
NETWORK_UP = gauge("node_network_up", "1 when the device is operational.", ("device",))
NETWORK_INFO = gauge(
    "node_network_info",
    "Always 1; the device's state as labels.",
    ("address", "adminstate", "broadcast", "device", "duplex", "ifalias", "operstate"),
)
NETWORK_SPEED = gauge(
    "node_network_speed_bytes", "Speed of the link, a second.", ("device",), unit="bytes"
)
NETWORK_MTU = gauge("node_network_mtu_bytes", "Largest packet.", ("device",), unit="bytes")
NETWORK_QUEUE = gauge("node_network_transmit_queue_length", "Transmit queue length.", ("device",))
NETWORK_CARRIER = gauge("node_network_carrier", "1 when there is a carrier.", ("device",))
NETWORK_CARRIER_CHANGES = counter(
    "node_network_carrier_changes_total", "Carrier changes.", ("device",)
)
NETWORK_CARRIER_UP = counter(
    "node_network_carrier_up_changes_total", "Carrier changes to up.", ("device",)
)
NETWORK_CARRIER_DOWN = counter(
    "node_network_carrier_down_changes_total", "Carrier changes to down.", ("device",)
)
NETWORK_SYSFS = {
    name: gauge(f"node_network_{name}", f"{name} of /sys/class/net.", ("device",))
    for name in (
        "address_assign_type", "device_id", "dormant", "flags", "iface_id", "iface_link",
        "iface_link_mode", "name_assign_type", "net_dev_group", "protocol_type",
    )
}  # fmt: skip
"""Gauge by the part of its name after ``node_network_``; plain numbers of /sys/class/net."""
ARP_ENTRIES = gauge("node_arp_entries", "ARP entries by device.", ("device",))

# Protocols (/proc/net/{netstat,snmp,snmp6}); node_exporter's default fields, and no type.
NETSTAT = {
    field: untyped(f"node_netstat_{field}", f"{field.replace('_', ' ')} of the kernel's counters.")
    for field in (
        "Icmp6_InErrors", "Icmp6_InMsgs", "Icmp6_OutMsgs", "Icmp_InErrors", "Icmp_InMsgs",
        "Icmp_OutMsgs", "Ip6_InOctets", "Ip6_OutOctets", "IpExt_InOctets", "IpExt_OutOctets",
        "Ip_Forwarding", "TcpExt_ListenDrops", "TcpExt_ListenOverflows", "TcpExt_SyncookiesFailed",
        "TcpExt_SyncookiesRecv", "TcpExt_SyncookiesSent", "TcpExt_TCPSynRetrans",
        "TcpExt_TCPTimeouts", "TcpExt_TCPOFOQueue", "TcpExt_TCPRcvQDrop", "Tcp_ActiveOpens",
        "Tcp_CurrEstab", "Tcp_InErrs", "Tcp_InSegs", "Tcp_OutRsts", "Tcp_OutSegs",
        "Tcp_PassiveOpens", "Tcp_RetransSegs", "Udp6_InDatagrams", "Udp6_InErrors", "Udp6_NoPorts",
        "Udp6_OutDatagrams", "Udp6_RcvbufErrors", "Udp6_SndbufErrors", "UdpLite6_InErrors",
        "UdpLite_InErrors", "Udp_InDatagrams", "Udp_InErrors", "Udp_NoPorts", "Udp_OutDatagrams",
        "Udp_RcvbufErrors", "Udp_SndbufErrors",
    )
}  # fmt: skip
"""Metric by ``Protocol_Field``."""

SOCKSTAT = {
    field: gauge(f"node_sockstat_{field}", f"{field.replace('_', ' ')} of /proc/net/sockstat.")
    for field in (
        "FRAG6_inuse", "FRAG6_memory", "FRAG_inuse", "FRAG_memory", "RAW6_inuse", "RAW_inuse",
        "TCP6_inuse", "TCP_alloc", "TCP_inuse", "TCP_mem", "TCP_orphan", "TCP_tw", "UDP6_inuse",
        "UDPLITE6_inuse", "UDPLITE_inuse", "UDP_inuse", "UDP_mem", "sockets_used",
    )
}  # fmt: skip
"""Gauge by ``Protocol_field``."""
SOCKSTAT_TCP_MEMORY = gauge("node_sockstat_TCP_mem_bytes", "Memory of TCP sockets.", unit="bytes")
SOCKSTAT_UDP_MEMORY = gauge("node_sockstat_UDP_mem_bytes", "Memory of UDP sockets.", unit="bytes")

TCP_STATES = gauge(
    "node_tcp_connection_states",
    "TCP sockets by state, and the bytes in their queues.",
    ("state",),
)
SOFTNET = {
    column: counter(f"node_softnet_{column}_total", help_, ("cpu",))
    for column, help_ in (
        ("processed", "Packets processed."),
        ("dropped", "Packets dropped because the queue was full."),
        ("times_squeezed", "Times the work of a round was cut short."),
        ("cpu_collision", "Collisions while sending."),
        ("received_rps", "Times another CPU asked this one to process packets."),
        ("flow_limit_count", "Times the flow limit was reached."),
    )
}
"""Counter by column of /proc/net/softnet_stat."""
SOFTNET_BACKLOG = gauge("node_softnet_backlog_len", "Packets waiting in the backlog.", ("cpu",))
UDP_QUEUES = gauge(
    "node_udp_queues", "Bytes in the queues of UDP sockets.", ("queue", "ip"), unit="bytes"
)
CONNTRACK_ENTRIES = gauge("node_nf_conntrack_entries", "Tracked connections.")
CONNTRACK_LIMIT = gauge("node_nf_conntrack_entries_limit", "Most connections tracked.")
CONNTRACK_STAT = {
    column: gauge(f"node_nf_conntrack_stat_{column}", f"Connection tracking: {column}.")
    for column in (
        "found", "invalid", "ignore", "insert", "insert_failed", "drop", "early_drop",
        "search_restart",
    )
}  # fmt: skip
"""Gauge by column of /proc/net/stat/nf_conntrack, over all CPUs."""
BONDING_SLAVES = gauge("node_bonding_slaves", "Slaves of a bond.", ("master",))
BONDING_ACTIVE = gauge("node_bonding_active", "Slaves of a bond that are up.", ("master",))

# What else the kernel tells in one line.
FILES_ALLOCATED = gauge("node_filefd_allocated", "Open file handles of the machine.")
FILES_MAXIMUM = gauge("node_filefd_maximum", "File handles the machine allows.")
ENTROPY_AVAILABLE = gauge("node_entropy_available_bits", "Bits of entropy.")
ENTROPY_POOL = gauge("node_entropy_pool_size_bits", "Bits the entropy pool holds.")
SELINUX_ENABLED = gauge("node_selinux_enabled", "1 where SELinux is on.")
UNAME = gauge(
    "node_uname_info",
    "Always 1; the kernel's description of the machine as labels.",
    ("domainname", "machine", "nodename", "release", "sysname", "version"),
)
OS_INFO = gauge(
    "node_os_info",
    "Always 1; the distribution's description of itself as labels.",
    (
        "build_id", "id", "id_like", "image_id", "image_version", "name", "pretty_name", "variant",
        "variant_id", "version", "version_codename", "version_id",
    ),
)  # fmt: skip
OS_VERSION = gauge(
    "node_os_version", "Major and minor version of the system.", ("id", "id_like", "name")
)

# What node_exporter says of its collectors; ours are told of so as well, by our names.
SCRAPE_SUCCESS = gauge(
    "node_scrape_collector_success",
    "1 when the last run of a collector of the host succeeded.",
    ("collector",),
)
SCRAPE_DURATION = gauge(
    "node_scrape_collector_duration_seconds",
    "Duration of the last run of a collector of the host.",
    ("collector",),
    unit="seconds",
)

# Processes, counted over /proc.
PROCESSES_PIDS = gauge("node_processes_pids", "Processes.")
PROCESSES_THREADS = gauge("node_processes_threads", "Threads of all processes.")
PROCESSES_STATE = gauge("node_processes_state", "Processes by state.", ("state",))
PROCESSES_THREADS_STATE = gauge(
    "node_processes_threads_state", "Threads by state.", ("thread_state",)
)
PROCESSES_MAX = gauge("node_processes_max_processes", "Process ids there are.")
PROCESSES_MAX_THREADS = gauge("node_processes_max_threads", "Threads the machine allows.")
