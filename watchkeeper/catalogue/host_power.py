"""The machine's power: node_exporter's names for supplies, batteries and energy counters."""

from watchkeeper.catalogue.metric import Metric, counter, gauge

_SUPPLY = ("power_supply",)

_PLAIN = (
    "authentic", "calibrate", "capacity", "capacity_alert_max", "capacity_alert_min", "cyclecount",
    "online", "present", "time_to_empty_seconds", "time_to_full_seconds",
)  # fmt: skip
_MICRO = (
    "charge_ampere", "charge_control_limit", "charge_control_limit_max", "charge_counter",
    "charge_empty", "charge_empty_design", "charge_full", "charge_full_design",
    "charge_term_current", "constant_charge_current", "constant_charge_current_max",
    "constant_charge_voltage", "constant_charge_voltage_max", "current_ampere", "current_boot",
    "current_max", "energy_empty", "energy_empty_design", "energy_full", "energy_full_design",
    "energy_watthour", "input_current_limit", "power_watt", "precharge_current", "voltage_boot",
    "voltage_max", "voltage_max_design", "voltage_min", "voltage_min_design", "voltage_ocv",
    "voltage_volt",
)  # fmt: skip
_TENTHS = (
    "temp_alert_max_celsius", "temp_alert_min_celsius", "temp_ambient_celsius",
    "temp_ambient_max_celsius", "temp_ambient_min_celsius", "temp_celsius", "temp_max_celsius",
    "temp_min_celsius",
)  # fmt: skip

SUPPLY = {
    name: gauge(f"node_power_supply_{name}", f"{name} of /sys/class/power_supply.", _SUPPLY)
    for name in (*_PLAIN, *_MICRO, *_TENTHS)
}
"""Gauge by the part of its name after ``node_power_supply_``."""

SUPPLY_DIVISORS = (
    dict.fromkeys(_PLAIN, 1) | dict.fromkeys(_MICRO, 10**6) | dict.fromkeys(_TENTHS, 10)
)
"""What the kernel's number is divided by: it counts micro-units and tenths of a degree."""

SUPPLY_INFO = gauge(
    "node_power_supply_info",
    "Always 1; what a power supply says of itself as labels.",
    (
        "capacity_level", "charge_type", "health", "manufacturer", "model_name", "power_supply",
        "scope", "serial_number", "status", "technology", "type", "usb_type",
    ),
)  # fmt: skip


def energy(zone: str) -> Metric:
    """Describe the energy counter of a power-capping zone."""
    return counter(
        f"node_rapl_{zone}_joules_total", f"Energy used: {zone}.", ("index", "path"), unit="joules"
    )


ENERGY = {zone: energy(zone) for zone in ("package", "core", "uncore", "dram", "psys")}
"""Counter by zone, for the zones Intel and AMD processors have."""
