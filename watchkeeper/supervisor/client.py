"""Asking a running supervisor, from any process of this user on this machine."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

from watchkeeper import addresses
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.supervisor import run_directory
from watchkeeper.supervisor.status import ProcessStatus
from watchkeeper.unix_http import UnixConnection


class SupervisorClient:
    """What the control socket offers, as calls; each raises UpstreamError when it fails.

    Args:
        data_dir: the one the supervisor runs on, now or by the time of a call; the configured one
            by default.
        timeout_seconds: for each call; a restart answers only when the process is ready.
    """

    def __init__(self, data_dir: Path | None = None, *, timeout_seconds: float = 90.0) -> None:
        self._data_dir = data_dir or addresses.data_dir()
        self._timeout_seconds = timeout_seconds

    def processes(self) -> list[ProcessStatus]:
        """Return every instance, in starting order."""
        return self._call("GET", "/processes")

    def restart(self, name: str, instance: int | None = None) -> list[ProcessStatus]:
        """Restart an instance (all for None); return those once they are ready."""
        body = {} if instance is None else {"instance": instance}
        return self._call("POST", f"/processes/{name}/restart", body)

    def scale(self, name: str, instances: int) -> list[ProcessStatus]:
        """Run this many instances; return all of them once the new ones are ready."""
        return self._call("POST", f"/processes/{name}/scale", {"instances": instances})

    def kill(
        self, name: str, *, signal: str = "KILL", instance: int | None = None
    ) -> list[ProcessStatus]:
        """Send a signal to an instance (all for None)."""
        body: dict[str, Any] = {"signal": signal}
        if instance is not None:
            body["instance"] = instance
        return self._call("POST", f"/processes/{name}/kill", body)

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> list[ProcessStatus]:
        status, answer = self._exchange(method, path, body)
        if status == 200:
            return [ProcessStatus.from_json(item) for item in answer]
        detail = answer.get("error", {}) if isinstance(answer, dict) else {}
        raise UpstreamError(
            detail.get("message", f"the supervisor answered {status}"),
            reason=Reason.REFUSED if status == 409 else Reason.HTTP_STATUS,
            status=status,
        )

    def _exchange(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        socket_path = run_directory.socket_of(self._data_dir)
        connection = UnixConnection(socket_path, self._timeout_seconds)
        headers = {"Content-Type": "application/json"}
        token = addresses.api_token()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(
                method, path, json.dumps(body) if body is not None else None, headers
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except TimeoutError:
            raise UpstreamError(
                f"the supervisor did not answer within {self._timeout_seconds:g} s",
                reason=Reason.TIMEOUT,
            ) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UpstreamError(
                f"the supervisor cannot be reached at {socket_path}: {type(error).__name__}"
            ) from None
        finally:
            connection.close()


def part_urls(processes: list[ProcessStatus]) -> dict[str, str]:
    """Return ``WATCHKEEPER_<PART>_URL`` for the first instance of every process."""
    return {
        f"WATCHKEEPER_{process.name.upper().replace('-', '_')}_URL": process.url
        for process in processes
        if process.instance == 1
    }
