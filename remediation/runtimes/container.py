"""Containers of an engine on this machine, through the API of Docker, which podman speaks too."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

from remediation.deed import aftermath
from remediation.runtimes.instance import Instance
from remediation.targets.service import ContainerAddress
from watchkeeper.errors import NeverSent, Reason, UpstreamError
from watchkeeper.unix_http import UnixConnection

API = "/v1.40"
"""Docker Engine 19.03 (2019) and later, podman 3 and later."""

MAXIMUM_ANSWER_BYTES = 1 << 20

LOOK_AGAIN_SECONDS = 0.25


class EngineContainer:
    """One container by its name."""

    def __init__(self, address: ContainerAddress, limit_seconds: float) -> None:
        self._address = address
        self._limit_seconds = limit_seconds

    def instances(self) -> list[Instance]:
        """Return the container as the one copy there is."""
        status, found = self._ask("GET", "json")
        if status == 404:
            raise UpstreamError(f"the engine has no container {self._address.name!r}")
        try:
            return [_instance(self._address.name, found["State"])]
        except (TypeError, KeyError) as error:
            raise UpstreamError(
                f"the engine's answer on {self._address.name} tells no {error}",
                reason=Reason.BAD_ANSWER,
            ) from None

    def restart(self) -> None:
        """Restart it, and give a health check the time that is left to agree."""
        deadline = time.monotonic() + self._limit_seconds
        self._ask("POST", f"restart?t={self._address.stop_timeout:.0f}")
        with aftermath():
            while not self.instances()[0].is_ready and time.monotonic() < deadline:
                time.sleep(LOOK_AGAIN_SECONDS)

    def _ask(self, method: str, what: str) -> tuple[int, Any]:
        path = f"{API}/containers/{self._address.name}/{what}"
        connection = UnixConnection(self._address.socket, self._limit_seconds)
        try:
            connection.connect()
        except OSError as error:
            raise NeverSent(f"no engine at {self._address.socket}: {error}") from None
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read(MAXIMUM_ANSWER_BYTES)
        except TimeoutError:
            raise UpstreamError(
                f"the engine did not answer within {self._limit_seconds:g} s", reason=Reason.TIMEOUT
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise UpstreamError(f"the engine broke off: {type(error).__name__}") from None
        finally:
            connection.close()
        found = _read(body)
        if answer.status >= 400 and answer.status != 404:
            told = found.get("message") if isinstance(found, dict) else "nothing more"
            raise UpstreamError(
                f"the engine answered {answer.status}: {told}",
                reason=Reason.HTTP_STATUS, status=answer.status,
            )  # fmt: skip
        return answer.status, found


def _instance(name: str, state: dict[str, Any]) -> Instance:
    health = (state.get("Health") or state.get("Healthcheck") or {}).get("Status") or ""
    is_up = bool(state["Running"])
    told = [str(state["Status"]), *([health] if health else [])]
    if not is_up:
        told.append(f"exit code {state.get('ExitCode')}")
    return Instance(
        title=name,
        identity=str(state["StartedAt"]) if is_up else None,
        is_ready=is_up and health in {"", "none", "healthy"},
        said=", ".join(told),
    )


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
