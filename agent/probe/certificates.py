"""What a server's certificates say, told as blackbox_exporter tells it."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, cast

from agent.probe.finding import Certificates

SHORT_NAMES = {
    "serialNumber": "SERIALNUMBER",
    "commonName": "CN",
    "postalCode": "POSTALCODE",
    "streetAddress": "STREET",
    "stateOrProvinceName": "ST",
    "localityName": "L",
    "organizationalUnitName": "OU",
    "organizationName": "O",
    "countryName": "C",
}
"""RFC 2253, section 2.3, and the serial number as Go, and so blackbox_exporter, writes it."""

NAME_KINDS = ("DNS", "IP Address")


def certificates_of(connection: ssl.SSLSocket) -> Certificates | None:
    """Return what the server showed, or None where it showed nothing."""
    der = connection.getpeercert(binary_form=True)
    own = cast("Mapping[str, Any]", connection.getpeercert() or {})
    if der is None or not own:
        return None
    return Certificates(
        earliest_end_at=min(_ends(connection, "get_unverified_chain", own)),
        chain_end_at=min(_ends(connection, "get_verified_chain", own)),
        fingerprint=hashlib.sha256(der).hexdigest(),
        issuer=distinguished_name(own.get("issuer", ())),
        subject=distinguished_name(own.get("subject", ())),
        names=",".join(
            str(name) for kind, name in own.get("subjectAltName", ()) if kind in NAME_KINDS
        ),
    )


def _ends(connection: ssl.SSLSocket, chain: str, own: Mapping[str, Any]) -> list[float]:
    """Return when the certificates of a chain end, Unix time.

    The whole chain can be had of OpenSSL's object only (3.13 made it public, but as bytes, which
    nothing in the standard library reads); where that changes, the server's own certificate counts.
    """
    ask = getattr(connection._sslobj, chain, None)  # type: ignore[attr-defined]  # noqa: SLF001
    infos = [certificate.get_info() for certificate in ask() or ()] if ask else []
    return [ssl.cert_time_to_seconds(str(info["notAfter"])) for info in [*infos, own]]


def distinguished_name(name: Sequence[Sequence[tuple[str, str]]]) -> str:
    """Return a name as RFC 2253 spells it, its last part first: ``CN=shop,O=Example``."""
    return ",".join(
        "+".join(f"{SHORT_NAMES.get(attribute, attribute)}={value}" for attribute, value in part)
        for part in reversed(name)
    )
