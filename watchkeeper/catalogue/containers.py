"""Control groups, and so containers: cAdvisor's names, types and labels, and what limits hold."""

from watchkeeper.catalogue.metric import counter, gauge

GROUP = ("id", "name")
"""Path of the group, and the container's ID where the path has one."""

LAST_SEEN = gauge("container_last_seen", "When the group was last seen, Unix time.", GROUP)
START_TIME = gauge(
    "container_start_time_seconds", "When the group was made, Unix time.", GROUP, unit="seconds"
)
THREADS = gauge("container_threads", "Threads of the group.", GROUP)
THREADS_MAX = gauge("container_threads_max", "Threads the group may have; 0 for any number.", GROUP)

CPU_USAGE = counter(
    "container_cpu_usage_seconds_total", "CPU time used.", (*GROUP, "cpu"), unit="seconds"
)
CPU_USER = counter(
    "container_cpu_user_seconds_total", "CPU time in user mode.", GROUP, unit="seconds"
)
CPU_SYSTEM = counter(
    "container_cpu_system_seconds_total", "CPU time in the kernel.", GROUP, unit="seconds"
)
CFS_PERIODS = counter(
    "container_cpu_cfs_periods_total", "Periods with a CPU limit in force.", GROUP
)
CFS_THROTTLED = counter(
    "container_cpu_cfs_throttled_periods_total", "Periods in which the limit was reached.", GROUP
)
CFS_THROTTLED_TIME = counter(
    "container_cpu_cfs_throttled_seconds_total",
    "Time the limit kept the group from running.",
    GROUP,
    unit="seconds",
)

MEMORY_USAGE = gauge(
    "container_memory_usage_bytes", "Memory in use, caches included.", GROUP, unit="bytes"
)
MEMORY_WORKING_SET = gauge(
    "container_memory_working_set_bytes",
    "Memory in use without what the kernel would drop first.",
    GROUP,
    unit="bytes",
)
MEMORY_MAX_USAGE = gauge(
    "container_memory_max_usage_bytes", "Most memory ever in use.", GROUP, unit="bytes"
)
MEMORY_RSS = gauge("container_memory_rss", "Anonymous memory, bytes.", GROUP, unit="bytes")
MEMORY_CACHE = gauge("container_memory_cache", "Page cache, bytes.", GROUP, unit="bytes")
MEMORY_MAPPED = gauge("container_memory_mapped_file", "Mapped files, bytes.", GROUP, unit="bytes")
MEMORY_SWAP = gauge("container_memory_swap", "Swap in use, bytes.", GROUP, unit="bytes")
MEMORY_FAILCNT = counter("container_memory_failcnt", "Times the memory limit was reached.", GROUP)
MEMORY_FAILURES = counter(
    "container_memory_failures_total",
    "Page faults by kind.",
    (*GROUP, "failure_type", "scope"),
)
OOM_EVENTS = counter("container_oom_events_total", "Processes killed for want of memory.", GROUP)

PRESSURE = {
    (resource, line): counter(
        f"container_pressure_{resource}_{word}_seconds_total",
        f"Time {who} of the group waited for {resource}.",
        GROUP,
        unit="seconds",
    )
    for resource in ("cpu", "memory", "io")
    for line, word, who in (("some", "waiting", "some task"), ("full", "stalled", "all tasks"))
}
"""Counter by resource and line of a pressure file."""

_DISK = (*GROUP, "device")
FS_READS = counter("container_fs_reads_total", "Reads completed.", _DISK)
FS_READ_BYTES = counter("container_fs_reads_bytes_total", "Bytes read.", _DISK, unit="bytes")
FS_WRITES = counter("container_fs_writes_total", "Writes completed.", _DISK)
FS_WRITTEN_BYTES = counter("container_fs_writes_bytes_total", "Bytes written.", _DISK, unit="bytes")

SPEC_CPU_PERIOD = gauge("container_spec_cpu_period", "Period of the CPU limit, us.", GROUP)
SPEC_CPU_QUOTA = gauge("container_spec_cpu_quota", "CPU time allowed a period, us.", GROUP)
SPEC_CPU_SHARES = gauge("container_spec_cpu_shares", "Share of the CPU when it is scarce.", GROUP)
SPEC_MEMORY_LIMIT = gauge(
    "container_spec_memory_limit_bytes", "Memory limit; 0 for none.", GROUP, unit="bytes"
)
SPEC_MEMORY_RESERVATION = gauge(
    "container_spec_memory_reservation_limit_bytes",
    "Memory kept for the group; 0 for none.",
    GROUP,
    unit="bytes",
)
SPEC_MEMORY_SWAP_LIMIT = gauge(
    "container_spec_memory_swap_limit_bytes", "Swap limit; 0 for none.", GROUP, unit="bytes"
)

CPU_LIMIT = gauge(
    "watchkeeper_container_cpu_limit_cores",
    "CPUs the group can use: the least of its own limit, those of all groups it is in, and the "
    "machine's CPUs.",
    GROUP,
)
MEMORY_LIMIT = gauge(
    "watchkeeper_container_memory_limit_bytes",
    "Memory the group can use: the least of its own limit, those of all groups it is in, and the "
    "machine's memory.",
    GROUP,
    unit="bytes",
)
LEFT_OUT = gauge(
    "watchkeeper_container_groups_left_out", "Groups that are not told of: there are too many."
)
