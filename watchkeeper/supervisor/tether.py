"""Becomes the given command, tied to the supervisor: it dies when the supervisor does.

Run as ``python -I -S tether.py SUPERVISOR_PID COMMAND...``. The kernel's parent-death signal is
set here, in the child itself, because ``preexec_fn`` is unsafe in a process with threads; it
survives ``exec``. It fires when the *thread* that started us ends, so the supervisor starts
children only from the thread that lives as long as it does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we were tied to it
        sys.exit(1)
    # Python ignores SIGPIPE and exec would hand that on; ordinary programs expect the default.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606  # replacing ourselves is the whole point
    except OSError as error:
        print(f"cannot run {command[0]}: {error.strerror}", file=sys.stderr)  # noqa: T201  # goes to the process' log
        sys.exit(127)


if __name__ == "__main__":
    main()
