"""The machine's sensors (/sys/class/hwmon): node_exporter's names, which follow the drivers'."""

from watchkeeper.catalogue.metric import Kind, Metric, gauge

SENSOR = ("chip", "sensor")


def sensor(name: str, kind: Kind = Kind.GAUGE) -> Metric:
    """Describe the metric of a sensor's file; a driver may bring files nobody knew."""
    return Metric(f"node_hwmon_{name}", kind, "", f"Hardware sensor: {name}.", SENSOR)


HWMON = {
    name: sensor(name)
    for name in (
        "beep_enabled", "curr_amps", "curr_max_amps", "fan_alarm", "fan_fault", "fan_max_rpm",
        "fan_min_rpm", "fan_rpm", "fan_target_rpm", "freq_freq_mhz", "humidity", "in_alarm",
        "in_max_volts", "in_min_volts", "in_volts", "intrusion_alarm", "power_accuracy",
        "power_average_interval_seconds", "power_average_watt", "power_cap_watt", "power_watt",
        "pwm", "pwm_enable", "temp_alarm", "temp_celsius", "temp_crit_alarm_celsius",
        "temp_crit_celsius", "temp_crit_hyst_celsius", "temp_fault", "temp_max_celsius",
        "temp_max_hyst_celsius", "temp_min_celsius",
        "update_interval_seconds", "voltage_regulator_version",
    )
} | {"energy_joule_total": sensor("energy_joule_total", Kind.COUNTER)}  # fmt: skip
"""Metric by the part of its name after ``node_hwmon_``, for the usual sensors."""

CHIP_NAMES = gauge(
    "node_hwmon_chip_names", "Always 1; the name a chip's driver gives it.", ("chip", "chip_name")
)
SENSOR_LABEL = gauge(
    "node_hwmon_sensor_label",
    "Always 1; what a sensor measures, as its driver says.",
    ("chip", "sensor", "label"),
)
