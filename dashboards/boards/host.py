"""Host: for each resource of a machine, how busy, how overloaded, and how faulty (USE method)."""

from dashboards import ahead, limits, panels, scope, silences
from dashboards.promql import rate, ratio, series, total
from dashboards.spec import (
    Column,
    Dashboard,
    Gauge,
    Query,
    Row,
    Stat,
    Table,
    TimeSeries,
    Unit,
    rising,
)
from watchkeeper.catalogue import host, host_clock

ON = scope.MACHINE
IDLE = f'{ON}, mode="idle"'
WIRED = f'{ON}, device!="lo"'
DISK = f'{ON}, device!~"(loop|ram|zram|sr).*"'
MOUNT = f'{ON}, fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660"'

CPU_USED = f"1 - avg by (instance) ({rate(host.CPU_SECONDS, IDLE)})"
CPU_COUNT = f"count by (instance) ({series(host.CPU_SECONDS, IDLE)})"
MEMORY_USED = f"1 - {series(host.MEMORY_AVAILABLE, ON)} / {series(host.MEMORY_TOTAL, ON)}"
SPACE_USED = (
    f"1 - {series(host.FILESYSTEM_AVAILABLE, MOUNT)} / {series(host.FILESYSTEM_SIZE, MOUNT)}"
)
INODES_USED = (
    f"1 - {series(host.FILESYSTEM_FILES_FREE, MOUNT)}"
    f" / ({series(host.FILESYSTEM_FILES, MOUNT)} > 0)"
)
SWAP_USED = (
    f"({series(host.SWAP_TOTAL, ON)} - {series(host.SWAP_FREE, ON)})"
    f" / ({series(host.SWAP_TOTAL, ON)} > 0)"
)

NOW = Row(
    "Now",
    (
        Gauge(
            title="CPU",
            description="Share of processor time in use, of the busiest machine.",
            queries=(Query(f"max({CPU_USED})"),),
            unit=Unit.RATIO,
            thresholds=limits.CPU,
        ),
        Gauge(
            title="Memory",
            description="Share of memory that could not be given to a new process.",
            queries=(Query(f"max({MEMORY_USED})"),),
            unit=Unit.RATIO,
            thresholds=limits.MEMORY,
            runbook="MemoryCritical",
        ),
        Gauge(
            title="Fullest file system",
            description="Share of the space that ordinary users may use. At 100 % writes fail.",
            queries=(Query(f"max({SPACE_USED})"),),
            unit=Unit.RATIO,
            thresholds=limits.SPACE,
        ),
        Stat(
            title="Busiest disk",
            description="Share of time with operations in progress. A disk of several queues can "
            "be at 100 % and still take more: read it with its wait below.",
            queries=(Query(f"max({rate(host.DISK_IO_TIME, DISK)})"),),
            unit=Unit.RATIO,
            thresholds=rising(notice=0.8),
        ),
        Stat(
            title="Running",
            description="Time since the machine booted. A small number nobody can explain is a "
            "crash.",
            queries=(Query(f"min(time() - {series(host.BOOT_TIME, ON)})"),),
            unit=Unit.SECONDS,
        ),
        Stat(
            title="Clock error",
            description="Largest possible error of the machine's clock as the kernel knows it. "
            "Beyond a second, times of different machines cannot be compared.",
            queries=(Query(f"max({series(host_clock.MAX_ERROR, ON)})"),),
            unit=Unit.SECONDS,
            thresholds=rising(notice=1, warning=20),
        ),
    ),
)

PROCESSORS = Row(
    "Processors",
    (
        panels.cpu_by_mode(ON),
        TimeSeries(
            title="Load for each CPU",
            description="Saturation: tasks that run or wait, for each processor. Above 1 is a "
            "queue.",
            queries=(
                Query(
                    f"sum by (instance) ({series(host.LOAD1, ON)}) / {CPU_COUNT}",
                    "1 min {{instance}}",
                ),
                Query(
                    f"sum by (instance) ({series(host.LOAD5, ON)}) / {CPU_COUNT}",
                    "5 min {{instance}}",
                ),
            ),
            unit=Unit.PLAIN,
            thresholds=rising(notice=1, warning=2),
        ),
        TimeSeries(
            title="Waiting for a CPU",
            description="Share of time in which some task was ready and had to wait. This is what "
            "users feel; utilisation alone is not.",
            queries=(Query(rate(host.PRESSURE_CPU_WAITING, ON), "{{instance}}"),),
            unit=Unit.RATIO,
            thresholds=limits.PRESSURE,
        ),
    ),
)

MEMORY_ROW = Row(
    "Memory",
    (
        panels.memory(ON),
        TimeSeries(
            title="Waiting for memory",
            description="Saturation: share of time in which tasks waited for memory to be freed. "
            "Swap in use alone is no trouble; waiting for it is.",
            queries=(
                Query(rate(host.PRESSURE_MEMORY_WAITING, ON), "some tasks"),
                Query(rate(host.PRESSURE_MEMORY_STALLED, ON), "all tasks"),
                Query(SWAP_USED, "swap used", silence=silences.SWAP),
            ),
            unit=Unit.RATIO,
            thresholds=limits.PRESSURE,
        ),
        TimeSeries(
            title="Killed for want of memory",
            description="Errors: processes the kernel killed in the last five minutes to free "
            "memory, and pages that had to be read from disk a second.",
            queries=(
                Query(f"increase({series(host.VMSTAT['oom_kill'], ON)}[5m])", "killed"),
                Query(rate(host.VMSTAT["pgmajfault"], ON), "major faults a second"),
            ),
        ),
    ),
)

DISKS = Row(
    "Disks",
    (
        TimeSeries(
            title="Utilisation",
            description="Share of time with operations in progress, disk by disk.",
            queries=(Query(rate(host.DISK_IO_TIME, DISK), "{{device}}"),),
            unit=Unit.RATIO,
        ),
        TimeSeries(
            title="Waiting for disks",
            description="Saturation: share of time in which tasks waited for a disk.",
            queries=(
                Query(rate(host.PRESSURE_IO_WAITING, ON), "some tasks"),
                Query(rate(host.PRESSURE_IO_STALLED, ON), "all tasks"),
            ),
            unit=Unit.RATIO,
            thresholds=limits.PRESSURE,
        ),
        TimeSeries(
            title="Time of an operation",
            description="Mean time from asking to done, reads and writes apart. A few milliseconds "
            "for flash, tens for a spinning disk or a network volume.",
            queries=(
                Query(
                    ratio(
                        f"sum by (device) ({rate(host.DISK_READ_TIME, DISK)})",
                        f"sum by (device) ({rate(host.DISK_READS, DISK)})",
                    ),
                    "read {{device}}",
                    silence=silences.DISK_USED,
                ),
                Query(
                    ratio(
                        f"sum by (device) ({rate(host.DISK_WRITE_TIME, DISK)})",
                        f"sum by (device) ({rate(host.DISK_WRITES, DISK)})",
                    ),
                    "write {{device}}",
                    silence=silences.DISK_USED,
                ),
            ),
            unit=Unit.SECONDS,
        ),
        panels.disk_throughput(DISK),
        TimeSeries(
            title="Space used",
            description="Share of each file system in use. A straight climb can be read forward to "
            "the day it is full; the report does so.",
            queries=(Query(SPACE_USED, "{{mountpoint}}"),),
            unit=Unit.RATIO,
            thresholds=limits.SPACE,
        ),
        TimeSeries(
            title="Faulty file systems",
            description="Errors: file systems whose state cannot be read, or that turned "
            "read-only, which kernels do when a disk fails.",
            queries=(
                Query(f"sum({series(host.FILESYSTEM_DEVICE_ERROR, MOUNT)})", "unreadable"),
                Query(f"sum({series(host.FILESYSTEM_READONLY, MOUNT)})", "read-only"),
            ),
        ),
        Table(
            title="File systems",
            description="Space and inodes of each. Many small files can use up the inodes of a "
            "file system that looks half empty.",
            queries=(
                Query(f"sum by (instance, mountpoint) ({series(host.FILESYSTEM_SIZE, MOUNT)})"),
                Query(f"max by (instance, mountpoint) ({SPACE_USED})"),
                Query(f"max by (instance, mountpoint) ({INODES_USED})", silence=silences.INODES),
            ),
            columns=(
                Column("Mounted at", label="mountpoint"),
                Column("Machine", label="instance"),
                Column("Size", query=0, unit=Unit.BYTES),
                Column("Used", query=1, unit=Unit.RATIO),
                Column("Inodes used", query=2, unit=Unit.RATIO),
            ),
            sort_by="Used",
        ),
    ),
)

NETWORK = Row(
    "Network",
    (
        panels.network_traffic(ON),
        TimeSeries(
            title="Dropped",
            description="Saturation: packets dropped a second because nobody took them in time.",
            queries=(
                Query(total(rate(host.NETWORK_RECEIVE["drop"], WIRED)), "in"),
                Query(total(rate(host.NETWORK_TRANSMIT["drop"], WIRED)), "out"),
            ),
            unit=Unit.EVENTS_PER_SECOND,
        ),
        TimeSeries(
            title="Errors",
            description="Damaged packets a second, and segments TCP had to send again. A cable, a "
            "driver, or a full link further on.",
            queries=(
                Query(total(rate(host.NETWORK_RECEIVE["errs"], WIRED)), "in"),
                Query(total(rate(host.NETWORK_TRANSMIT["errs"], WIRED)), "out"),
                Query(total(rate(host.NETSTAT["Tcp_RetransSegs"], ON)), "sent again"),
            ),
            unit=Unit.EVENTS_PER_SECOND,
        ),
    ),
)

AHEAD = Row("Limits ahead", (ahead.limits_ahead(ahead.OF_HOSTS),))

KERNEL = Row(
    "Kernel tables",
    (
        TimeSeries(
            title="Open files",
            description="File handles open, against what the machine allows.",
            queries=(
                Query(
                    f"{series(host.FILES_ALLOCATED, ON)} / {series(host.FILES_MAXIMUM, ON)}",
                    "{{instance}}",
                ),
            ),
            unit=Unit.RATIO,
            thresholds=limits.SPACE,
        ),
        TimeSeries(
            title="Processes running and blocked",
            description="Processes that run or are ready to, and processes that wait for a disk or "
            "a network volume. Blocked ones that stay are a volume that does not answer.",
            queries=(
                Query(series(host.PROCS_RUNNING, ON), "running {{instance}}"),
                Query(series(host.PROCS_BLOCKED, ON), "blocked {{instance}}"),
            ),
        ),
        TimeSeries(
            title="Context switches",
            description="Switches from one task to another a second. A jump without more work is "
            "contention for a lock.",
            queries=(Query(rate(host.CONTEXT_SWITCHES, ON), "{{instance}}"),),
            unit=Unit.EVENTS_PER_SECOND,
        ),
    ),
    collapsed=True,
)

DASHBOARD = Dashboard(
    uid="watchkeeper-host",
    title="Host",
    purpose="Which resource of a machine is busy, overloaded or faulty?",
    variables=scope.of_machine(host.MEMORY_TOTAL),
    rows=(NOW, PROCESSORS, MEMORY_ROW, DISKS, NETWORK, AHEAD, KERNEL),
    see_also=("watchkeeper-system", "watchkeeper-containers", "watchkeeper-python"),
)
