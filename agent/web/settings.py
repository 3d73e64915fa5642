"""Prometheus' web configuration file: TLS, client certificates and basic authentication.

Run as a program it reads one file and prints it, or its problems, as JSON: see ``agent.settings``.
The format is that of prometheus/exporter-toolkit, docs/web-configuration.md.
"""

from __future__ import annotations

import dataclasses
import json
import re
import ssl
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import bcrypt
from pydantic import AfterValidator, Field, model_validator

from watchkeeper.configuration import ProblemAt, Settings, load
from watchkeeper.errors import ConfigError
from watchkeeper.stamp import stamp_of

BCRYPT_HASH = re.compile(r"(?P<version>\$2[aby]\$)(?P<cost>\d\d)(?P<rest>\$[./A-Za-z0-9]{53})")
BCRYPT_COSTS = range(4, 32)

HeaderName = Literal[
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
]
"""The headers that the format allows."""

TlsVersion = Literal["TLS12", "TLS13"]
ClientAuthType = Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"]
"""Of the format's five; a certificate that nobody verifies proves nothing."""


def _bcrypt_hash(text: str) -> str:
    found = BCRYPT_HASH.fullmatch(text)
    if found is None or int(found["cost"]) not in BCRYPT_COSTS or not _is_checkable(found):
        raise ValueError("expected a bcrypt hash such as htpasswd -nBC 10 '' prints")
    return text


def _is_checkable(found: re.Match[str]) -> bool:
    """Return whether bcrypt takes the hash for one, asked at the least cost."""
    cheapest = f"{found['version']}{BCRYPT_COSTS[0]:02d}{found['rest']}"
    try:
        bcrypt.checkpw(b"", cheapest.encode())
    except ValueError:
        return False
    return True


def _one_line(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("expected one line of printable ASCII")
    return text


class TlsSettings(Settings):
    """How TLS is spoken. Files are relative to the configuration file.

    Attributes:
        cert_file: certificate chain, PEM.
        key_file: its private key, PEM, without a password.
        client_ca_file: authorities whose client certificates are trusted.
        client_allowed_sans: names of which a client's certificate must have one; none means any.
    """

    cert_file: str
    key_file: str
    client_auth_type: ClientAuthType = "NoClientCert"
    client_ca_file: str = ""
    client_allowed_sans: tuple[str, ...] = ()
    min_version: TlsVersion = "TLS12"
    max_version: TlsVersion = "TLS13"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        asks = self.client_auth_type != "NoClientCert"
        if asks and not self.client_ca_file:
            raise ProblemAt("expected client_ca_file, to verify clients by", "client_auth_type")
        if self.client_ca_file and not asks:
            raise ProblemAt("expected a client_auth_type that verifies clients", "client_ca_file")
        if self.client_allowed_sans and self.client_auth_type != "RequireAndVerifyClientCert":
            message = "expected client_auth_type: RequireAndVerifyClientCert"
            raise ProblemAt(message, "client_allowed_sans")
        if self.min_version > self.max_version:
            raise ProblemAt(f"expected at most {self.max_version}", "min_version")
        return self


class HttpSettings(Settings):
    """How HTTP is spoken.

    Attributes:
        http2: taken and not used: the agent speaks HTTP/1.1, which every scraper does.
        headers: sent with every response.
    """

    http2: bool = True
    headers: dict[HeaderName, Annotated[str, AfterValidator(_one_line)]] = Field(
        default_factory=dict
    )


class WebSettings(Settings):
    """All that the file may say.

    Attributes:
        basic_auth_users: bcrypt hash of the password by user name; with none, no password is asked.
    """

    tls_server_config: TlsSettings | None = None
    http_server_config: HttpSettings = HttpSettings()
    basic_auth_users: dict[str, Annotated[str, AfterValidator(_bcrypt_hash)]] = Field(
        default_factory=dict
    )


def read(path: Path) -> dict[str, Any]:
    """Return the file as plain data, with every path absolute.

    Raises:
        ConfigError: it, or a file it names, cannot be used.
    """
    directory = path.parent.absolute()

    class Located(WebSettings):
        """The settings of a file in this directory."""

        @model_validator(mode="after")
        def _names_usable_files(self) -> Self:
            if self.tls_server_config is not None:
                _require_usable(self.tls_server_config, directory)
            return self

    plain = load(path, Located).model_dump(mode="json")
    tls = plain["tls_server_config"]
    for key in ("cert_file", "key_file", "client_ca_file"):
        if tls and tls[key]:
            tls[key] = str(directory / tls[key])
    return plain


def _require_usable(tls: TlsSettings, directory: Path) -> None:
    """Raise ProblemAt naming the key whose file cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain, key, clients = (
        directory / name for name in (tls.cert_file, tls.key_file, tls.client_ca_file)
    )
    leans_on = {file: stamp_of(file) for file in (chain, key, clients) if file != directory}
    for name, file in (("cert_file", chain), ("key_file", key)):
        if not file.is_file():
            message = f"expected a file, and there is none at {file}"
            raise ProblemAt(message, _TLS, name, leans_on=leans_on)
    try:
        context.load_cert_chain(chain, key, password=_refuse_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        message = f"cannot be used with its key_file: {_said(error)}"
        raise ProblemAt(message, _TLS, "cert_file", leans_on=leans_on) from None
    if tls.client_ca_file:
        try:
            context.load_verify_locations(clients)
        except OSError as error:
            message = f"cannot be used: {_said(error)}"
            raise ProblemAt(message, _TLS, "client_ca_file", leans_on=leans_on) from None


_TLS = "tls_server_config"


def _said(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)


def _refuse_password() -> str:
    raise ValueError("the key asks for a password")


def main(path: Path) -> dict[str, Any]:
    """Return what the reading process prints: ``problems``, or ``web``."""
    try:
        return {"web": read(path)}
    except ConfigError as error:
        return {"problems": [dataclasses.asdict(problem) for problem in error.problems]}


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1])), sys.stdout)
