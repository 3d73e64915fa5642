"""The machine's hardware: node_exporter's names for temperatures, arrays and memory errors."""

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
