"""Why a panel may be empty while all is well: what has to happen, or to be there, first.

``fault`` names what makes it happen in the demo; ``tests/stack/breakage.py`` has each of them.
"""

from dashboards.spec import Silence

OUT_OF_BAND = Silence("a series leaves its expected band", fault="slow-responses")

FIRING = Silence("an alert rule fires", fault="dead-worker")
ALERTED = Silence("an alert arrives", fault="dead-worker")
ACTED = Silence("an action is taken", fault="dead-worker")
RECOVERED = Silence("an action is found to have helped", fault="dead-worker")
REFUSED = Silence("a guard refuses an action", fault="paused-actions")

RULE = Silence("remediation.yml has a rule")
RECEIVER = Silence("a receiver of messages is configured")
TOLD = Silence("a message goes out", fault="silent-receiver")

COLLECTOR_FAILED = Silence("a collector fails", fault="stopped-cache")
BLOCKED = Silence("a session waits for a lock that another one holds", fault="held-lock")
UNUSED_INDEX = Silence("nobody has used an index", fault="unused-index")

RETRIED = Silence("a task fails and is tried again")
STANDBY = Silence("a server has a standby")
FORECAST = Silence("a forecast of anomaly.yml has seen enough of its series")
PROBE = Silence("a probe is named in agent.yml")
CERTIFICATE = Silence("a probe in agent.yml names an https:// or tls:// address")
CALLS = Silence("an instrumented service asks another one over HTTP")
MEMORY_LIMIT = Silence("a server has a memory limit")
SWAP = Silence("a machine has swap")
DISK_USED = Silence("a disk is read or written")
INODES = Silence("a file system has a table of inodes")
THROTTLED = Silence("a group has a CPU limit")
MEMORY_EVENTS = Silence("the kernel counts memory events by group")
PRESSURE = Silence("the kernel counts pressure by group")
