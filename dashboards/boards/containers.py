"""Containers: which control group is at its limits, and who suffers from that?"""

from dashboards import limits, scope, silences
from dashboards.promql import rate, ratio, series, total
from dashboards.spec import (
    Column,
    Dashboard,
    Query,
    Row,
    Stat,
    Table,
    TimeSeries,
    Unit,
    Variable,
    rising,
)
from watchkeeper.catalogue import containers

GROUP = f'{scope.MACHINE}, id=~"$group"'
WHO = "{{id}}"
BUSIEST = 6
"""Lines of a chart: a machine has hundreds of groups, and most sleep."""

CPU = total(rate(containers.CPU_USAGE, GROUP), by="instance, id")
THROTTLED = ratio(
    total(rate(containers.CFS_THROTTLED, GROUP), by="instance, id"),
    total(rate(containers.CFS_PERIODS, GROUP), by="instance, id"),
)
THROTTLED_SHARE = rising(notice=0.05, warning=0.25)
WORKING_SET = total(series(containers.MEMORY_WORKING_SET, GROUP), by="instance, id")
MEMORY_LIMIT = total(series(containers.MEMORY_LIMIT, GROUP), by="instance, id")
MEMORY_USED = ratio(WORKING_SET, MEMORY_LIMIT)
KILLED = f"sum(increase({series(containers.OOM_EVENTS, GROUP)}[1h]))"


def _top(expression: str) -> str:
    return f"topk({BUSIEST}, {expression})"


NOW = Row(
    "Now",
    (
        Stat(
            title="Groups",
            description="Control groups the agents tell of. Services of systemd, containers and "
            "sessions each are one.",
            queries=(Query(f"count({series(containers.LAST_SEEN, GROUP)})"),),
        ),
        Stat(
            title="Fullest memory",
            description="Share of the memory the fullest group can use: the least of its own "
            "limit, those of the groups it is in, and the machine's memory.",
            queries=(Query(f"max({MEMORY_USED})"),),
            unit=Unit.RATIO,
            thresholds=limits.MEMORY,
        ),
        Stat(
            title="Killed in an hour",
            description="Processes the kernel killed in the last hour because their group reached "
            "its memory limit.",
            queries=(Query(KILLED, silence=silences.MEMORY_EVENTS),),
            thresholds=rising(warning=1),
        ),
        Stat(
            title="Most throttled",
            description="Share of periods in which the CPU limit stopped the group that suffers "
            "most. Requests that arrive then wait, whatever the average says.",
            queries=(Query(f"max({THROTTLED})", silence=silences.THROTTLED),),
            unit=Unit.RATIO,
            thresholds=THROTTLED_SHARE,
        ),
    ),
)

PROCESSORS = Row(
    "Processors",
    (
        TimeSeries(
            title="CPU by group",
            description="Processor seconds used a second, the busiest groups. A group contains "
            "what its inner groups use.",
            queries=(Query(_top(CPU), WHO),),
            unit=Unit.PLAIN,
        ),
        TimeSeries(
            title="CPU against its limit",
            description="Share of the CPUs a group can use, which may be fewer than the machine "
            "has.",
            queries=(
                Query(
                    _top(ratio(CPU, total(series(containers.CPU_LIMIT, GROUP), by="instance, id"))),
                    WHO,
                ),
            ),
            unit=Unit.RATIO,
            thresholds=limits.CPU,
        ),
        TimeSeries(
            title="Throttled",
            description="Share of periods in which a CPU limit was reached. Only groups with a "
            "limit of their own.",
            queries=(Query(_top(THROTTLED), WHO, silence=silences.THROTTLED),),
            unit=Unit.RATIO,
            thresholds=THROTTLED_SHARE,
        ),
    ),
)

MEMORY = Row(
    "Memory",
    (
        TimeSeries(
            title="Working set",
            description="Memory in use without what the kernel would drop first: what counts when "
            "memory runs out.",
            queries=(Query(_top(WORKING_SET), WHO),),
            unit=Unit.BYTES,
        ),
        TimeSeries(
            title="Memory against its limit",
            description="Share of the memory a group can use. At 100 % a process of it is killed.",
            queries=(Query(_top(MEMORY_USED), WHO),),
            unit=Unit.RATIO,
            thresholds=limits.MEMORY,
        ),
        TimeSeries(
            title="Waiting",
            description="Share of time in which some task of a group waited for CPU, memory or "
            "disk, the groups that wait most. Needs a kernel that counts pressure by group.",
            queries=tuple(
                Query(
                    f"topk(4, {rate(containers.PRESSURE[resource, 'some'], GROUP)})",
                    f"{resource} {WHO}",
                    silence=silences.PRESSURE,
                )
                for resource in ("cpu", "memory", "io")
            ),
            unit=Unit.RATIO,
            thresholds=limits.PRESSURE,
        ),
        Table(
            title="Largest groups",
            description="The groups with the most memory in use, with what they can use at most.",
            queries=(
                Query(f"topk(20, {WORKING_SET})"),
                Query(MEMORY_LIMIT),
                Query(CPU),
            ),
            columns=(
                Column("Group", label="id"),
                Column("Machine", label="instance"),
                Column("Working set", query=0, unit=Unit.BYTES),
                Column("Can use", query=1, unit=Unit.BYTES),
                Column("CPUs in use", query=2),
            ),
            sort_by="Working set",
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="watchkeeper-containers",
    title="Containers",
    purpose="Which control group is at its limits, and who suffers from that?",
    variables=(
        *scope.of_machine(containers.LAST_SEEN),
        Variable("group", "Group", containers.LAST_SEEN, "id", within=scope.MACHINE),
    ),
    rows=(NOW, PROCESSORS, MEMORY),
    see_also=("watchkeeper-host", "watchkeeper-python", "watchkeeper-system"),
)
