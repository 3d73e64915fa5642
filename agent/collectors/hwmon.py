"""Hardware sensors, from /sys/class/hwmon (Documentation/hwmon/sysfs-interface.rst)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agent.family import Family, Sample
from agent.procfs import read_line
from watchkeeper.catalogue import Kind, Metric, host_sensors

SENSOR_TYPES = frozenset(
    {
        "vrm", "beep_enable", "update_interval", "in", "cpu", "fan", "pwm", "temp", "curr",
        "power", "energy", "humidity", "intrusion", "freq",
    }
)  # fmt: skip
"""What the files of a sensor begin with."""

MILLI, MICRO = 1000, 1_000_000
"""What the number of a file is divided by to have the unit."""

UNITS = {
    "in": ("_volts", MILLI),
    "cpu": ("_volts", MILLI),
    "temp": ("_celsius", MILLI),
    "curr": ("_amps", MILLI),
    "energy": ("_joule_total", MICRO),
    "power": ("_watt", MICRO),
    "humidity": ("", MICRO),
    "freq": ("_freq_mhz", MICRO),
}
"""End of the name and divisor by type of sensor."""

ALONE = {
    "beep_enable": ("beep_enabled", 1),
    "vrm": ("voltage_regulator_version", 1),
    "update_interval": ("update_interval_seconds", MILLI),
}
"""Name and divisor of the files that belong to a whole chip."""

WITHOUT_UNIT = {"fault": ("", 1), "alarm": ("", 1), "beep": ("_enabled", 1)}
"""End of the name and divisor of elements that are switches, whatever is measured."""

SPECIAL = {
    ("temp", "type"): ("", 1),
    ("power", "accuracy"): ("", MICRO),
    ("power", "average_interval"): ("_seconds", MILLI),
    ("power", "average_interval_min"): ("_seconds", MILLI),
    ("power", "average_interval_max"): ("_seconds", MILLI),
    ("fan", "input"): ("_rpm", 1),
    ("fan", "min"): ("_rpm", 1),
    ("fan", "max"): ("_rpm", 1),
    ("fan", "target"): ("_rpm", 1),
}
"""End of the name and divisor of elements that have not the unit of their sensor."""

_FILE = re.compile(r"(?P<type>[^0-9]+)(?P<number>[0-9]*)(_(?P<element>.+))?")
_FORBIDDEN = re.compile(r"[^a-z0-9:_]")


class SensorFile(NamedTuple):
    """What a file's name says: ``temp1_max`` is the element ``max`` of sensor ``temp1``.

    Files of a whole chip count as its sensor 0.
    """

    type: str
    number: int
    element: str


class HwmonCollector:
    """Temperatures, fans, voltages, currents and power as the drivers tell them."""

    def __init__(self, *, sys: str = "/sys") -> None:
        self._directory = Path(sys) / "class" / "hwmon"

    def collect(self) -> Iterator[Family]:
        """Return what each chip measures; nothing where there are no sensors."""
        found: dict[Metric, list[Sample]] = {}
        for chip in sorted(self._directory.glob("*")):
            for metric, sample in _told_by(chip):
                found.setdefault(metric, []).append(sample)
        for metric, samples in found.items():
            yield Family(metric, samples)

    def close(self) -> None:
        """Nothing is held open."""


def _told_by(chip: Path) -> Iterator[tuple[Metric, Sample]]:
    name = chip_name(chip)
    given = read_line(chip / "name")
    if given:
        yield host_sensors.CHIP_NAMES, ((name, clean(given)), 1)
    for (type_, number), elements in _sensors(chip).items():
        sensor = f"{type_}{number}"
        for element, text in elements.items():
            if element == "label":
                yield host_sensors.SENSOR_LABEL, ((name, sensor, text), 1)
            elif (value := _number(text)) is not None:
                metric, divisor = metric_of(type_, element, has_bare="" in elements)
                yield metric, ((name, sensor), value / divisor)


def _sensors(chip: Path) -> dict[tuple[str, int], dict[str, str]]:
    """Return the text of each element by sensor; old drivers keep them beside the device."""
    sensors: dict[tuple[str, int], dict[str, str]] = {}
    for directory in (chip, chip / "device"):
        names = os.listdir(directory) if directory.is_dir() else []  # noqa: PTH208  # no Path for each
        for name in sorted(names):
            file = parse_file(name)
            text = read_line(directory / name) if file is not None else None
            if file is not None and text is not None:
                sensors.setdefault((file.type, file.number), {})[file.element] = text
    return sensors


def parse_file(name: str) -> SensorFile | None:
    """Return what a file's name says, or None when it is no sensor's."""
    found = _FILE.fullmatch(name)
    if found is None:
        return None
    if found["type"] not in SENSOR_TYPES:
        return None
    return SensorFile(found["type"], int(found["number"] or 0), found["element"] or "")


def metric_of(type_: str, element: str, *, has_bare: bool) -> tuple[Metric, int]:
    """Return the metric of a sensor's element and what its number is divided by.

    Args:
        type_: one of ``SENSOR_TYPES``.
        element: the end of the file's name, such as ``max``; empty for none.
        has_bare: whether the sensor has a file without an element too, so that ``input`` must be
            told from it.
    """
    name, divisor = ALONE.get(type_) or _named(type_, element, has_bare=has_bare)
    metric = host_sensors.HWMON.get(name)
    if metric is None:
        kind = Kind.COUNTER if name.endswith("_total") else Kind.GAUGE
        metric = host_sensors.sensor(name, kind)
    return metric, divisor


def _named(type_: str, element: str, *, has_bare: bool) -> tuple[str, int]:
    is_value = element == "" or (element == "input" and not has_bare)
    name = type_ if is_value else f"{type_}_{clean(element)}"
    end, divisor = (
        WITHOUT_UNIT.get(element) or SPECIAL.get((type_, element)) or UNITS.get(type_) or ("", 1)
    )
    return name + end, divisor


def chip_name(chip: Path) -> str:
    """Return a name that does not depend on the order in which drivers were loaded.

    That is where the device hangs, such as ``platform_coretemp_0``; else what its driver calls it,
    else the directory's own name.
    """
    device = chip / "device"
    if device.exists():
        path = device.resolve()
        parts = [part for part in (clean(path.parent.name), clean(path.name)) if part]
        if parts:
            return "_".join(parts)
    return clean(read_line(chip / "name") or "") or clean(chip.resolve().name)


def clean(text: str) -> str:
    """Return ``text`` as part of a metric's name may be written."""
    return _FORBIDDEN.sub("_", text.lower()).strip("_")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
