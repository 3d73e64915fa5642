"""How fast each CPU runs and how often heat slowed it, from /sys/devices/system/cpu."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.family import Family, Sample
from agent.procfs import parse_cpu_list, read_line, read_number
from watchkeeper.catalogue import host_hardware

HERTZ_PER_KILOHERTZ = 1000

FILES = {
    host_hardware.CPU_FREQUENCY["frequency"]: "cpuinfo_cur_freq",
    host_hardware.CPU_FREQUENCY["frequency_min"]: "cpuinfo_min_freq",
    host_hardware.CPU_FREQUENCY["frequency_max"]: "cpuinfo_max_freq",
    host_hardware.CPU_FREQUENCY["scaling_frequency"]: "scaling_cur_freq",
    host_hardware.CPU_FREQUENCY["scaling_frequency_min"]: "scaling_min_freq",
    host_hardware.CPU_FREQUENCY["scaling_frequency_max"]: "scaling_max_freq",
}
"""File under cpufreq by metric, in kHz (Documentation/admin-guide/pm/cpufreq.rst)."""


class FrequencyCollector:
    """Speed, governor, throttling and isolation; nothing on most virtual machines."""

    def __init__(self, *, sys: str = "/sys") -> None:
        self._directory = Path(sys) / "devices" / "system" / "cpu"

    def collect(self) -> Iterator[Family]:
        """Return what the kernel offers of each CPU."""
        cpus = sorted(self._directory.glob("cpu[0-9]*"))
        # A virtual machine's CPUs offer none of it: one look tells, not six a CPU.
        scaled = [cpu for cpu in cpus if (cpu / "cpufreq").is_dir()]
        for metric, file in FILES.items():
            speeds = ((_number_of(cpu), read_number(cpu / "cpufreq" / file)) for cpu in scaled)
            yield Family(
                metric,
                [((cpu,), khz * HERTZ_PER_KILOHERTZ) for cpu, khz in speeds if khz is not None],
            )
        yield Family(host_hardware.CPU_GOVERNOR, [one for cpu in scaled for one in _governors(cpu)])
        yield from _throttles([cpu for cpu in cpus if (cpu / "thermal_throttle").is_dir()])
        isolated = parse_cpu_list(read_line(f"{self._directory}/isolated") or "")
        yield Family(host_hardware.CPU_ISOLATED, [((str(cpu),), 1) for cpu in isolated])

    def close(self) -> None:
        """Nothing is held open."""


def _number_of(cpu: Path) -> str:
    return cpu.name.removeprefix("cpu")


def _governors(cpu: Path) -> Iterator[Sample]:
    current = read_line(cpu / "cpufreq" / "scaling_governor")
    available = read_line(cpu / "cpufreq" / "scaling_available_governors") or ""
    for governor in available.split():
        yield (_number_of(cpu), governor), int(governor == current)


def _throttles(cpus: Sequence[Path]) -> Iterator[Family]:
    """Yield the counts; the CPUs of one core, and the cores of one package, share theirs."""
    cores: dict[tuple[str, str], int] = {}
    packages: dict[tuple[str], int] = {}
    for cpu in cpus:
        package = read_line(cpu / "topology" / "physical_package_id")
        core = read_line(cpu / "topology" / "core_id")
        of_core = read_number(cpu / "thermal_throttle" / "core_throttle_count")
        of_package = read_number(cpu / "thermal_throttle" / "package_throttle_count")
        if package is None or core is None:
            continue
        if of_core is not None:
            cores.setdefault((package, core), of_core)
        if of_package is not None:
            packages.setdefault((package,), of_package)
    yield Family(host_hardware.CPU_CORE_THROTTLES, list(cores.items()))
    yield Family(host_hardware.CPU_PACKAGE_THROTTLES, list(packages.items()))
