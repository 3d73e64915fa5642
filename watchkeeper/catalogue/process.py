"""A process about itself: prometheus-client's own names, and what Python adds."""

from watchkeeper.catalogue.metric import counter, gauge, histogram

CPU = counter("process_cpu_seconds_total", "User and system CPU time spent.", unit="seconds")
RESIDENT = gauge("process_resident_memory_bytes", "Resident memory.", unit="bytes")
VIRTUAL = gauge("process_virtual_memory_bytes", "Virtual memory.", unit="bytes")
START_TIME = gauge("process_start_time_seconds", "Start time since the Unix epoch.", unit="seconds")
OPEN_FDS = gauge("process_open_fds", "Open file descriptors.")
MAX_FDS = gauge("process_max_fds", "The most file descriptors that may be open.")
MEMORY_LIMIT = gauge(
    "process_memory_limit_bytes",
    "Memory the process may use: the smallest of its cgroup, rlimit and declared limits.",
    unit="bytes",
)
THREADS = gauge("python_threads", "Live Python threads.", ("service",))
GC_PAUSE = histogram(
    "python_gc_pause_seconds",
    "Time the collector stopped the world.",
    ("generation",),
    unit="seconds",
)
GC_COLLECTED = counter(
    "python_gc_objects_collected_total", "Objects collected during gc.", ("generation",)
)
GC_UNCOLLECTABLE = counter(
    "python_gc_objects_uncollectable_total",
    "Uncollectable objects found during gc.",
    ("generation",),
)
GC_COLLECTIONS = counter(
    "python_gc_collections_total", "Times a generation was collected.", ("generation",)
)
PYTHON_INFO = gauge(
    "python_info",
    "Python platform information.",
    ("implementation", "major", "minor", "patchlevel", "version"),
)
INSTRUMENT_ERRORS = counter(
    "watchkeeper_instrument_errors_total",
    "Failures inside the instruments that were kept out of the application, by part.",
    ("part",),
)
INSTRUMENT_WORKERS = gauge(
    "watchkeeper_instrument_workers", "Worker processes that report to this aggregator now."
)
