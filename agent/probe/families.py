"""A finding under blackbox_exporter's names."""

from __future__ import annotations

from collections.abc import Iterator

from agent.family import Family, Sample, single
from agent.probe.finding import Finding
from watchkeeper.catalogue import probes

PHASES = ("resolve", "connect", "tls", "processing", "transfer")


def families_of(target: str, finding: Finding, *, is_http: bool) -> Iterator[Family]:
    """Yield what was found out; what the probe did not get to is left out."""
    label = (target,)
    yield single(probes.SUCCESS, int(finding.succeeded), label)
    yield single(probes.BODY_MISMATCH, int(finding.is_unexpected_body), label)
    yield single(probes.DNS_TIME, finding.phases.get("resolve", 0.0), label)
    if finding.address:
        yield single(probes.IP_PROTOCOL, 4 if len(finding.address) == 4 else 6, label)
        yield single(probes.ADDRESS_HASH, fnv1a(finding.address), label)
    if is_http:
        yield from _http_families(target, finding)
    if finding.tls_version is not None:
        version = finding.tls_version.replace("TLSv", "TLS ")
        yield single(probes.TLS_VERSION, 1, (target, version))
    certificates = finding.certificates
    if certificates is not None:
        yield single(probes.CERTIFICATE_EXPIRY, certificates.earliest_end_at, label)
        yield single(probes.CHAIN_EXPIRY, certificates.chain_end_at, label)
        told = (certificates.fingerprint, certificates.issuer, certificates.subject)
        yield single(probes.CHAIN_INFO, 1, (target, *told, certificates.names))


def _http_families(target: str, finding: Finding) -> Iterator[Family]:
    label = (target,)
    phases: list[Sample] = [((target, phase), finding.phases.get(phase, 0.0)) for phase in PHASES]
    yield Family(probes.HTTP_DURATION, phases)
    yield single(probes.HTTP_STATUS, finding.status, label)
    yield single(probes.HTTP_REDIRECTS, finding.redirects, label)
    yield single(probes.HTTP_LENGTH, finding.length, label)
    yield single(probes.HTTP_BODY, finding.body_bytes, label)
    yield single(probes.HTTP_TLS, int(finding.tls_version is not None), label)
    yield single(probes.HTTP_VERSION, finding.version, label)
    if finding.modified_at is not None:
        yield single(probes.HTTP_MODIFIED, finding.modified_at, label)


def fnv1a(data: bytes) -> int:
    """Return the 32-bit FNV-1a hash (Fowler, Noll, Vo), which tells one address from another."""
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value
