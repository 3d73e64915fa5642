"""Why a panel may be empty while all is well: what has to happen, or to be there, first.

Each names what fills it, and a test brings that about: a fault in the demo
(``tests/stack/breakage.py``), what the demo has anyway, or a piece of equipment that neither the
demo nor every machine has (``tests/dashboards/equipment.py``).
"""

from dashboards.spec import Silence

DEMO = "the demo"

OUT_OF_BAND = Silence("a series leaves its expected band", "slow-responses")

FIRING = Silence("an alert rule fires", "dead-worker")
ALERTED = Silence("an alert arrives", "dead-worker")
ACTED = Silence("an action is taken", "dead-worker")
RECOVERED = Silence("an action is found to have helped", "dead-worker")
REFUSED = Silence("a guard refuses an action", "paused-actions")
TOLD = Silence("a message goes out", "silent-receiver")

COLLECTOR_FAILED = Silence("a collector fails", "stopped-cache")
BLOCKED = Silence("a session waits for a lock that another one holds", "held-lock")
UNUSED_INDEX = Silence("nobody has used an index", "unused-index")

RULE = Silence("remediation.yml has a rule", DEMO)
RECEIVER = Silence("a receiver of messages is configured", DEMO)
FORECAST = Silence("a forecast of anomaly.yml has seen enough of its series", DEMO)
PROBE = Silence("a probe is named in agent.yml", DEMO)
CALLS = Silence("an instrumented service asks another one over HTTP", DEMO)
MEMORY_LIMIT = Silence("a server has a memory limit", DEMO)

RETRIED = Silence("a task fails and is tried again", "retried-task")
STANDBY = Silence("a server has a standby", "standby")
CERTIFICATE = Silence("a probe in agent.yml names an https:// or tls:// address", "tls-probe")
SWAP = Silence("a machine has swap", "whole-machine")
DISK_USED = Silence("a disk is read or written", "whole-machine")
INODES = Silence("a file system has a table of inodes", "whole-machine")
THROTTLED = Silence("a group has a CPU limit", "whole-machine")
MEMORY_EVENTS = Silence("the kernel counts memory events by group", "whole-machine")
PRESSURE = Silence("the kernel counts pressure by group", "whole-machine")
