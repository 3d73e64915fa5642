"""Probes of HTTP and TCP services: blackbox_exporter's names, and the ``target`` as a label."""

from watchkeeper.catalogue.metric import gauge

_TARGET = ("target",)

SUCCESS = gauge("probe_success", "1 when the target did what is expected of it.", _TARGET)
DURATION = gauge("probe_duration_seconds", "Time the probe took.", _TARGET, unit="seconds")
DNS_TIME = gauge(
    "probe_dns_lookup_time_seconds", "Time to resolve the name.", _TARGET, unit="seconds"
)
IP_PROTOCOL = gauge("probe_ip_protocol", "4 or 6.", _TARGET)
HTTP_DURATION = gauge(
    "probe_http_duration_seconds",
    "Time of the request by phase (resolve, connect, tls, processing, transfer).",
    (*_TARGET, "phase"),
    unit="seconds",
)
HTTP_STATUS = gauge("probe_http_status_code", "Status of the answer.", _TARGET)
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
TLS_VERSION = gauge(
    "probe_tls_version_info", "Always 1; the version of TLS.", (*_TARGET, "version")
)
