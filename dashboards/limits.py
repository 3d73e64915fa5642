"""Thresholds that several boards judge by, so that one value is never red here and green there."""

from dashboards.spec import rising

RESPONSE_TIME = rising(notice=0.5, warning=1, critical=2)
"""Seconds; the requirement's 500, 1000 and 2000 ms."""
ERRORS = rising(notice=0.01, warning=0.05, critical=0.2)
MEMORY = rising(notice=0.8, warning=0.9, critical=0.95)
"""The requirement calls memory critical above 95 %."""
CPU = rising(notice=0.7, warning=0.85, critical=0.95)
PRESSURE = rising(notice=0.1, warning=0.4)
"""Share of time some task waited; the kernel's documentation calls tens of percent a shortage."""
SPACE = rising(notice=0.8, warning=0.9, critical=0.95)
