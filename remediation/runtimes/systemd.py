"""Units of systemd, through its own ``systemctl``: it knows the bus, and polkit's rules apply."""

from __future__ import annotations

import os

from remediation import program
from remediation.runtimes.instance import Instance
from remediation.targets.service import SystemdAddress
from watchkeeper.errors import Reason, UpstreamError

SYSTEMCTL = "systemctl"

PROPERTIES = ("LoadState", "ActiveState", "SubState", "InvocationID", "Result")
"""org.freedesktop.systemd1(5); InvocationID is another after every start."""

KEPT_BYTES = 8192


class SystemdUnit:
    """One unit of the system's manager, or of the endpoint's own user's."""

    def __init__(self, address: SystemdAddress, limit_seconds: float) -> None:
        self._address = address
        self._limit_seconds = limit_seconds

    def instances(self) -> list[Instance]:
        """Return the unit as the one copy there is."""
        told = self._ask("show", f"--property={','.join(PROPERTIES)}", "--", self._address.unit)
        found = dict(line.partition("=")[::2] for line in told.splitlines())
        if missing := [name for name in PROPERTIES if name not in found]:
            raise UpstreamError(
                f"systemctl told no {missing[0]} of {self._address.unit}", reason=Reason.BAD_ANSWER
            )
        if found["LoadState"] != "loaded":
            raise UpstreamError(f"systemd has no unit {self._address.unit}: {found['LoadState']}")
        return [
            Instance(
                title=self._address.unit,
                identity=found["InvocationID"] or None,
                is_ready=found["ActiveState"] == "active",
                said=f"{found['ActiveState']} ({found['SubState']}), result {found['Result']}",
            )
        ]

    def restart(self) -> None:
        """Restart it; systemctl returns when the start is through, which Type=notify tells best."""
        self._ask("restart", "--", self._address.unit)

    def _ask(self, *words: str) -> str:
        scope = ["--user"] if self._address.user else []
        ended = program.run(
            [SYSTEMCTL, *scope, "--no-ask-password", "--no-pager", *words],
            directory="/", environment=_bus_of_the_user() if self._address.user else {},
            user=None, limit_seconds=self._limit_seconds, keep_bytes=KEPT_BYTES,
        )  # fmt: skip
        if ended.exit_code:
            raise UpstreamError(
                f"systemctl {words[0]} {self._address.unit} ended with {ended.exit_code}: "
                f"{ended.output.strip()[-500:]}",
                reason=Reason.REFUSED,
            )
        return ended.output


def _bus_of_the_user() -> dict[str, str]:
    """Return where the user's manager is reached, sd_bus_default_user(3)."""
    names = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
    return {name: os.environ[name] for name in names if name in os.environ}
