"""Processes by configured pattern: process-exporter's names."""

from watchkeeper.catalogue.metric import counter, gauge

_GROUP = ("groupname",)

COUNT = gauge("namedprocess_namegroup_num_procs", "Processes of the group.", _GROUP)
THREADS = gauge("namedprocess_namegroup_num_threads", "Threads of the group.", _GROUP)
STATES = gauge(
    "namedprocess_namegroup_states", "Threads of the group by state.", (*_GROUP, "state")
)
OLDEST_START = gauge(
    "namedprocess_namegroup_oldest_start_time_seconds",
    "When the oldest process of the group started, Unix time.",
    _GROUP,
    unit="seconds",
)
MEMORY = gauge(
    "namedprocess_namegroup_memory_bytes",
    "Memory of the group by kind.",
    (*_GROUP, "memtype"),
    unit="bytes",
)
OPEN_FILES = gauge("namedprocess_namegroup_open_filedesc", "Open file descriptors.", _GROUP)
WORST_FILES_RATIO = gauge(
    "namedprocess_namegroup_worst_fd_ratio",
    "Open file descriptors against their limit, of the process nearest to it.",
    _GROUP,
    unit="ratio",
)
CPU = counter(
    "namedprocess_namegroup_cpu_seconds_total",
    "CPU time of the group, of processes that ended included.",
    (*_GROUP, "mode"),
    unit="seconds",
)
READ = counter(
    "namedprocess_namegroup_read_bytes_total", "Bytes read from disks.", _GROUP, unit="bytes"
)
WRITTEN = counter(
    "namedprocess_namegroup_write_bytes_total", "Bytes written to disks.", _GROUP, unit="bytes"
)
MAJOR_FAULTS = counter(
    "namedprocess_namegroup_major_page_faults_total", "Page faults that read a disk.", _GROUP
)
MINOR_FAULTS = counter(
    "namedprocess_namegroup_minor_page_faults_total", "Page faults that did not.", _GROUP
)
CONTEXT_SWITCHES = counter(
    "namedprocess_namegroup_context_switches_total",
    "Context switches, of the main threads.",
    (*_GROUP, "ctxswitchtype"),
)
