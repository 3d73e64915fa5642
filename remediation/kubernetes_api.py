"""A cluster through the official client, with its answers in our words.

The client is imported when a cluster is first asked, and is in the extra ``kubernetes``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import urllib3

from remediation.targets.service import ClusterAddress
from watchkeeper.errors import NeverSent, Reason, Refused, UpstreamError

_REASONS = {
    401: Reason.AUTHENTICATION, 403: Reason.AUTHENTICATION,
    500: Reason.TIMEOUT, 502: Reason.TIMEOUT, 504: Reason.TIMEOUT,
}  # fmt: skip
"""The API server, or what stands before it, answers 5xx for what it did not see the end of; 503
and 429 say that it did not begin."""


class Cluster:
    """One cluster; every call raises UpstreamError when it fails.

    Args:
        address: which.
        limit_seconds: for each call.

    Raises:
        Refused: the client is not installed, or the address cannot be used.
    """

    def __init__(self, address: ClusterAddress, limit_seconds: float) -> None:
        try:
            import kubernetes.client  # noqa: PLC0415  # heavy, and in an extra
            import kubernetes.config  # noqa: PLC0415
        except ImportError:
            raise Refused("install watchkeeper-stack[kubernetes] to act on a cluster") from None
        loading: Any = kubernetes.config  # without type information
        settings = kubernetes.client.Configuration()
        # One attempt: whether to try again is for whoever sent the call to say.
        settings.retries = False
        try:
            if address.kubeconfig is None:
                loading.load_incluster_config(settings)
            else:
                loading.load_kube_config(
                    str(address.kubeconfig), address.context, settings, persist_config=False
                )
        except (loading.ConfigException, OSError) as error:
            raise Refused(f"the cluster's address cannot be used: {error}") from None
        client = kubernetes.client.ApiClient(settings)
        self.apps: Any = kubernetes.client.AppsV1Api(client)
        self.core: Any = kubernetes.client.CoreV1Api(client)
        self._limit_seconds = limit_seconds

    def ask(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Make one call of ``apps`` or ``core`` within the time limit, and return its answer."""
        from kubernetes.client import ApiException  # noqa: PLC0415

        try:
            return call(*arguments, _request_timeout=self._limit_seconds, **named)
        except ApiException as error:
            raise UpstreamError(
                f"the cluster answered {error.status} {error.reason}",
                reason=_REASONS.get(error.status, Reason.HTTP_STATUS),
                status=error.status,
            ) from None
        except urllib3.exceptions.NewConnectionError:
            raise NeverSent("the cluster cannot be reached") from None
        except urllib3.exceptions.TimeoutError:
            raise UpstreamError(
                f"the cluster did not answer within {self._limit_seconds:g} s",
                reason=Reason.TIMEOUT,
            ) from None
        except urllib3.exceptions.HTTPError as error:
            raise UpstreamError(f"the cluster broke off: {type(error).__name__}") from None
