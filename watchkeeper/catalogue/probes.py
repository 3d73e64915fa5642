"""Probes of HTTP and TCP services: blackbox_exporter's names, and the ``target`` as a label."""

from watchkeeper.catalogue.metric import gauge

_TARGET = ("target",)

SUCCESS = gauge("probe_success", "1 when the target did what is expected of it.", _TARGET)
DURATION = gauge("probe_duration_seconds", "Time the probe took.", _TARGET, unit="seconds")
DNS_TIME = gauge(
    "probe_dns_lookup_time_seconds", "Time to resolve the name.", _TARGET, unit="seconds"
)
ADDRESS_HASH = gauge(
    "probe_ip_addr_hash", "A number that changes when the name stands for another address.", _TARGET
)
IP_PROTOCOL = gauge("probe_ip_protocol", "4 or 6.", _TARGET)
HTTP_DURATION = gauge(
    "probe_http_duration_seconds",
    "Time of the request by phase (resolve, connect, tls, processing, transfer).",
    (*_TARGET, "phase"),
    unit="seconds",
)
HTTP_STATUS = gauge("probe_http_status_code", "Status of the answer.", _TARGET)
HTTP_REDIRECTS = gauge("probe_http_redirects", "Redirects that were followed.", _TARGET)
HTTP_MODIFIED = gauge(
    "probe_http_last_modified_timestamp_seconds",
    "Last-Modified of the answer, Unix time.",
    _TARGET,
    unit="seconds",
)
HTTP_LENGTH = gauge("probe_http_content_length", "Content-Length, -1 without one.", _TARGET)
HTTP_BODY = gauge("probe_http_uncompressed_body_length", "Bytes of the body read.", _TARGET)
HTTP_TLS = gauge("probe_http_ssl", "1 when the answer came over TLS.", _TARGET)
HTTP_VERSION = gauge("probe_http_version", "Version of HTTP.", _TARGET)
BODY_MISMATCH = gauge(
    "probe_failed_due_to_regex", "1 when the body is not what is expected.", _TARGET
)
CERTIFICATE_EXPIRY = gauge(
    "probe_ssl_earliest_cert_expiry", "When the certificate ends, Unix time.", _TARGET
)
CHAIN_EXPIRY = gauge(
    "probe_ssl_last_chain_expiry_timestamp_seconds",
    "When the chain that was verified ends, Unix time.",
    _TARGET,
    unit="seconds",
)
CHAIN_INFO = gauge(
    "probe_ssl_last_chain_info",
    "Always 1; what the server's certificate says of itself.",
    (*_TARGET, "fingerprint_sha256", "issuer", "subject", "subjectalternative"),
)
TLS_VERSION = gauge(
    "probe_tls_version_info", "Always 1; the version of TLS.", (*_TARGET, "version")
)
