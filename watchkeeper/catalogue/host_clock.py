"""The machine's clock: node_exporter's names for the time, its source and its discipline."""

from watchkeeper.catalogue.metric import counter, gauge

TIME = gauge("node_time_seconds", "The machine's own time, Unix time.", unit="seconds")
ZONE_OFFSET = gauge(
    "node_time_zone_offset_seconds",
    "Offset of local time from UTC.",
    ("time_zone",),
    unit="seconds",
)
CLOCK_SOURCE = gauge(
    "node_time_clocksource_current_info", "Always 1; the clock in use.", ("device", "clocksource")
)
CLOCK_SOURCES = gauge(
    "node_time_clocksource_available_info",
    "Always 1; the clocks to choose from.",
    ("device", "clocksource"),
)

# adjtimex(2): how the kernel is told to run its clock, and how well it does.
SYNC_STATUS = gauge("node_timex_sync_status", "1 when the clock is synchronised.")
OFFSET = gauge("node_timex_offset_seconds", "Offset still to be corrected.", unit="seconds")
MAX_ERROR = gauge("node_timex_maxerror_seconds", "Largest possible error.", unit="seconds")
ESTIMATED_ERROR = gauge("node_timex_estimated_error_seconds", "Estimated error.", unit="seconds")
STATUS = gauge("node_timex_status", "Status bits of the clock.")
FREQUENCY = gauge(
    "node_timex_frequency_adjustment_ratio", "Frequency relative to the clock's own.", unit="ratio"
)
LOOP_TIME_CONSTANT = gauge("node_timex_loop_time_constant", "Time constant of the control loop.")
TICK = gauge("node_timex_tick_seconds", "Time between ticks.", unit="seconds")
TAI_OFFSET = gauge("node_timex_tai_offset_seconds", "Offset of TAI from UTC.", unit="seconds")
PPS_FREQUENCY = gauge("node_timex_pps_frequency_hertz", "Frequency of the pulse.")
PPS_STABILITY = gauge("node_timex_pps_stability_hertz", "Stability of the pulse.")
PPS_JITTER = gauge("node_timex_pps_jitter_seconds", "Jitter of the pulse.", unit="seconds")
PPS_SHIFT = gauge("node_timex_pps_shift_seconds", "Interval of the pulse.", unit="seconds")
PPS_CALIBRATIONS = counter("node_timex_pps_calibration_total", "Calibration intervals.")
PPS_ERRORS = counter("node_timex_pps_error_total", "Calibration errors.")
PPS_JITTERS = counter("node_timex_pps_jitter_total", "Times the jitter limit was exceeded.")
PPS_UNSTABLE = counter(
    "node_timex_pps_stability_exceeded_total", "Times the stability limit was exceeded."
)
