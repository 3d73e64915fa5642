"""Safe outbound HTTP: to the address that was checked, without redirects or proxies.

A host name is resolved once, every answer is checked against explicit forbidden ranges (Python's
``is_private`` and ``is_global`` miss several), and the connection goes to that very address while
Host and TLS still name the host, so that a second look-up cannot point it elsewhere.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

import urllib3

from watchkeeper.deadline import HTTPPool, HTTPSPool, body_of, within
from watchkeeper.errors import EgressRefused, NeverSent, Reason, UpstreamError

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_ANSWER_BYTES = 1 << 20
"""An answer is read this far; a receiver that streams for ever cannot fill our memory."""

# IANA special-purpose registries (IPv4 and IPv6), each range that is not ordinary public unicast.
FORBIDDEN_NETWORKS: tuple[IPNetwork, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/128", "::1/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7",
        "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Which otherwise forbidden addresses may be called: networks, or exact host names."""

    allowed_networks: tuple[IPNetwork, ...] = ()
    allowed_hosts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, entries: Sequence[str]) -> Self:
        """Read entries such as ``127.0.0.0/8``, ``10.1.2.3`` or ``rundeck.internal``."""
        networks, hosts = [], []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                hosts.append(entry.lower())
        return cls(tuple(networks), frozenset(hosts))

    def permits(self, host: str, address: IPAddress) -> bool:
        """Return whether ``address``, which ``host`` resolved to, may be called."""
        if host.lower() in self.allowed_hosts:
            return True
        if any(address in network for network in self.allowed_networks):
            return True
        return not any(address in network for network in FORBIDDEN_NETWORKS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers by lower-case name, and the body up to the limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as UTF-8, undecodable bytes replaced."""
        return self.body.decode("utf-8", "replace")


def check_destination(url: str, policy: EgressPolicy) -> IPAddress:
    """Resolve the host of ``url`` once and return the address to connect to.

    Raises:
        EgressRefused: not http or https, credentials in the URL, or any answer is forbidden.
        NeverSent: the name does not resolve.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EgressRefused(f"expected an http or https URL with a host, got {parts.scheme}://…")
    if parts.username or parts.password:
        raise EgressRefused(f"credentials inside a URL are refused (host {parts.hostname})")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return check_host(parts.hostname, port, policy)


def check_host(host: str, port: int, policy: EgressPolicy) -> IPAddress:
    """Resolve ``host`` once and return the address to connect to, for other protocols than HTTP.

    Raises:
        EgressRefused: any answer is forbidden.
        NeverSent: the name does not resolve.
    """
    addresses = _resolve(host, port)
    for address in addresses:
        if not policy.permits(host, address):
            raise EgressRefused(
                f"{host} resolves to {address}, which is not a public address; "
                "name it in the allow-list if it is meant"
            )
    return addresses[0]


def _resolve(host: str, port: int) -> list[IPAddress]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NeverSent(f"{host} does not resolve: {error}") from None
    return [ipaddress.ip_address(str(entry[4][0]).split("%")[0]) for entry in found]


def send(
    method: str,
    url: str,
    *,
    policy: EgressPolicy,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_seconds: float = 15.0,
) -> Answer:
    """Make one request to the checked address; redirects are returned, never followed.

    Args:
        timeout_seconds: for connecting and the whole answer; each piece that is sent has as
            long as connecting.

    Raises:
        NeverSent: no connection was made (EgressRefused where we declined to try).
        UpstreamError: with reason ``timeout`` or ``connection``, after the connection was made:
            whether the receiver acted is unknown.
    """
    address = check_destination(url, policy)
    parts = urlsplit(url)
    host = parts.hostname or ""
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    limits = within(timeout_seconds, connect_seconds=min(5.0, timeout_seconds))
    with _pool(parts.scheme, host, str(address), parts.port, limits) as pool:
        try:
            answer = pool.urlopen(
                method, target, body=body, headers={**(headers or {}), "Host": parts.netloc},
                redirect=False, retries=False, preload_content=False,
            )  # fmt: skip
            return Answer(
                answer.status,
                {name.lower(): value for name, value in answer.headers.items()},
                body_of(answer, MAX_ANSWER_BYTES),
            )
        except urllib3.exceptions.ConnectTimeoutError as error:  # also the base of "refused"
            raise NeverSent(f"{host} cannot be connected to: {type(error).__name__}") from None
        except urllib3.exceptions.TimeoutError as error:
            raise UpstreamError(
                f"{host} did not answer in time: {type(error).__name__}", reason=Reason.TIMEOUT
            ) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise UpstreamError(
                f"{host} broke the connection: {type(error).__name__}", reason=Reason.CONNECTION
            ) from None


def _pool(
    scheme: str, host: str, address: str, port: int | None, limits: urllib3.Timeout
) -> urllib3.HTTPConnectionPool:
    if scheme == "http":
        return HTTPPool(address, port or 80, timeout=limits)
    return HTTPSPool(
        address,
        port or 443,
        timeout=limits,
        server_hostname=host,
        assert_hostname=host,
        cert_reqs="CERT_REQUIRED",
    )
