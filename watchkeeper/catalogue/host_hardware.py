"""The machine's hardware: node_exporter's names for speed, heat, arrays and memory errors."""

from watchkeeper.catalogue.metric import counter, gauge

THERMAL_ZONE = gauge("node_thermal_zone_temp", "Temperature in degrees Celsius.", ("zone", "type"))
COOLING_STATE = gauge("node_cooling_device_cur_state", "Throttling now.", ("name", "type"))
COOLING_MAXIMUM = gauge("node_cooling_device_max_state", "Most throttling.", ("name", "type"))

RAID_STATE = gauge("node_md_state", "1 for the state a software RAID is in.", ("device", "state"))
RAID_DISKS = gauge("node_md_disks", "Disks of an array by state.", ("device", "state"))
RAID_REQUIRED = gauge("node_md_disks_required", "Disks an array should have.", ("device",))
RAID_BLOCKS = gauge("node_md_blocks", "Blocks of an array.", ("device",))
RAID_SYNCED = gauge("node_md_blocks_synced", "Blocks in sync.", ("device",))

MEMORY_CORRECTED = counter(
    "node_edac_correctable_errors_total", "Memory errors corrected.", ("controller",)
)
MEMORY_UNCORRECTED = counter(
    "node_edac_uncorrectable_errors_total", "Memory errors not corrected.", ("controller",)
)
MEMORY_ROW_CORRECTED = counter(
    "node_edac_csrow_correctable_errors_total",
    "Memory errors corrected, by chip-select row.",
    ("controller", "csrow"),
)
MEMORY_ROW_UNCORRECTED = counter(
    "node_edac_csrow_uncorrectable_errors_total",
    "Memory errors not corrected, by chip-select row.",
    ("controller", "csrow"),
)

CPU_FREQUENCY = {
    name: gauge(f"node_cpu_{name}_hertz", f"{name.replace('_', ' ')} of a CPU.", ("cpu",))
    for name in (
        "frequency", "frequency_min", "frequency_max", "scaling_frequency",
        "scaling_frequency_min", "scaling_frequency_max",
    )
}  # fmt: skip
"""Gauge by the part of its name between ``node_cpu_`` and ``_hertz``."""
CPU_GOVERNOR = gauge(
    "node_cpu_scaling_governor", "1 for the governor that sets the speed.", ("cpu", "governor")
)
CPU_CORE_THROTTLES = counter(
    "node_cpu_core_throttles_total", "Times heat slowed a core.", ("package", "core")
)
CPU_PACKAGE_THROTTLES = counter(
    "node_cpu_package_throttles_total", "Times heat slowed a package.", ("package",)
)
CPU_ISOLATED = gauge("node_cpu_isolated", "1 for a CPU the scheduler leaves alone.", ("cpu",))

NVME_INFO = gauge(
    "node_nvme_info",
    "Always 1; what an NVMe controller says of itself as labels.",
    ("device", "firmware_revision", "model", "serial", "state"),
)
DMI_INFO = gauge(
    "node_dmi_info",
    "Always 1; what the firmware says of the machine as labels.",
    (
        "bios_date", "bios_release", "bios_vendor", "bios_version", "board_asset_tag",
        "board_name", "board_serial", "board_vendor", "board_version", "chassis_asset_tag",
        "chassis_serial", "chassis_vendor", "chassis_version", "product_family", "product_name",
        "product_serial", "product_sku", "product_uuid", "product_version", "system_vendor",
    ),
)  # fmt: skip
