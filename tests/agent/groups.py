"""Control groups as fixture trees: version 2, version 1, and both beside each other."""

from __future__ import annotations

CONTAINER = "3f" * 32

MEMINFO = "MemTotal: 2048 kB\nMemFree: 512 kB\n"
DISKSTATS = " 8 0 sda 1 0 2 0 1 0 2 0 0 0 0\n 253 1 vda1 1 0 2 0 1 0 2 0 0 0 0\n"

STAT = "cpu 6 0 0 0\n" + "".join(f"cpu{number} 1 0 0 0\n" for number in range(6)) + "intr 1\n"

PROC = {
    "proc/stat": STAT,
    "proc/meminfo": MEMINFO,
    "proc/diskstats": DISKSTATS,
    "proc/self/cgroup": "0::/app\n",
}

PRESSURE = "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0.00 total=500000\n"

UNIFIED_GROUP = {
    "cpu.stat": (
        "usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\n"
        "nr_periods 40\nnr_throttled 10\nthrottled_usec 1500000\n"
    ),
    "cpu.max": "50000 100000\n",
    "cpu.weight": "100\n",
    "memory.current": "900000\n",
    "memory.peak": "1000000\n",
    "memory.max": "1048576\n",
    "memory.min": "0\n",
    "memory.swap.max": "max\n",
    "memory.swap.current": "4096\n",
    "memory.stat": (
        "anon 500000\nfile 350000\nfile_mapped 20000\ninactive_file 300000\n"
        "pgfault 77\npgmajfault 3\n"
    ),
    "memory.events": "low 0\nhigh 0\nmax 12\noom 2\noom_kill 2\n",
    "io.stat": "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n9:9 rbytes=1\n",
    "cpu.pressure": PRESSURE,
    "memory.pressure": PRESSURE,
    "io.pressure": PRESSURE,
    "pids.current": "5\n",
    "pids.max": "max\n",
}

LEGACY_GROUP = {
    "cpuacct/{}/cpuacct.usage": "3000000000\n",
    "cpuacct/{}/cpuacct.stat": "user 200\nsystem 100\n",
    "cpu/{}/cpu.shares": "1024\n",
    "cpu/{}/cpu.cfs_period_us": "100000\n",
    "cpu/{}/cpu.cfs_quota_us": "50000\n",
    "cpu/{}/cpu.stat": "nr_periods 40\nnr_throttled 10\nthrottled_time 1500000000\n",
    "memory/{}/memory.usage_in_bytes": "900000\n",
    "memory/{}/memory.max_usage_in_bytes": "1000000\n",
    "memory/{}/memory.limit_in_bytes": "1048576\n",
    "memory/{}/memory.soft_limit_in_bytes": "9223372036854771712\n",
    "memory/{}/memory.memsw.limit_in_bytes": "9223372036854771712\n",
    "memory/{}/memory.failcnt": "12\n",
    "memory/{}/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    "memory/{}/memory.stat": (
        "cache 1\nrss 1\npgfault 70\npgmajfault 2\n"
        "total_cache 350000\ntotal_rss 500000\ntotal_mapped_file 20000\ntotal_swap 4096\n"
        "total_inactive_file 300000\ntotal_pgfault 77\ntotal_pgmajfault 3\n"
    ),
    "blkio/{}/blkio.throttle.io_service_bytes_recursive": (
        "8:0 Read 4096\n8:0 Write 8192\n8:0 Total 12288\nTotal 12288\n"
    ),
    "blkio/{}/blkio.throttle.io_serviced_recursive": "8:0 Read 1\n8:0 Write 2\nTotal 3\n",
    "pids/{}/pids.current": "5\n",
    "pids/{}/pids.max": "max\n",
}

V2_ROOT = {
    "cgroup.controllers": "cpu io memory pids\n",
    "cpu.stat": "usage_usec 9000000\nuser_usec 6000000\nsystem_usec 3000000\n",
}


def unified(*groups: str) -> dict[str, str]:
    """Return version 2 with these groups, all alike."""
    files = {f"sys/fs/cgroup/{name}": text for name, text in V2_ROOT.items()}
    for group in groups:
        files |= {f"sys/fs/cgroup/{group}/{name}": text for name, text in UNIFIED_GROUP.items()}
    return PROC | files


def legacy(*groups: str) -> dict[str, str]:
    """Return version 1 with these groups, all alike."""
    files = {}
    for group in groups:
        files |= {
            f"sys/fs/cgroup/{name.format(group)}": text for name, text in LEGACY_GROUP.items()
        }
    return PROC | files | {"proc/self/cgroup": "4:memory:/app\n1:cpu:/\n0::/\n"}


def hybrid(*groups: str) -> dict[str, str]:
    """Return version 1 with version 2 beside it, which has the pressure alone."""
    files = {"sys/fs/cgroup/unified/cgroup.procs": ""}
    for group in groups:
        for resource in ("cpu", "memory", "io"):
            files[f"sys/fs/cgroup/unified/{group}/{resource}.pressure"] = PRESSURE
    return legacy(*groups) | files
