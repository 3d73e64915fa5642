"""The web configuration in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.configured import read_elsewhere
from watchkeeper.errors import ConfigError, Problem
from watchkeeper.stamp import Stamp, stamp_of

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True, slots=True)
class WebConfiguration:
    """What a web configuration file amounts to; as it is without one, all are let in.

    Attributes:
        context: how TLS is spoken; None for plain HTTP.
        allowed_names: of which a client's certificate must have one; empty for any.
        users: bcrypt hash of the password by name.
        headers: sent with every response.
        files: besides the configuration file itself, what it was made from, as it was then.
    """

    context: ssl.SSLContext | None = None
    allowed_names: frozenset[str] = frozenset()
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    files: Mapping[Path, Stamp] = field(default_factory=dict)

    @property
    def asks_who(self) -> bool:
        """Whether nobody is let in who cannot say who they are."""
        return bool(self.users) or self.requires_certificate

    @property
    def requires_certificate(self) -> bool:
        """Whether clients without a certificate are turned away."""
        return self.context is not None and self.context.verify_mode.name == "CERT_REQUIRED"


def read_web_configuration(path: Path) -> WebConfiguration:
    """Return what the file at ``path`` asks for.

    Raises:
        ConfigError: listing every problem with file, line, key and what was expected.
    """
    web = read_elsewhere("agent.web.settings", path)["web"]
    tls = web["tls_server_config"]
    headers = tuple(web["http_server_config"]["headers"].items())
    if tls is None:
        return WebConfiguration(users=web["basic_auth_users"], headers=headers)
    named = [tls[key] for key in ("cert_file", "key_file", "client_ca_file") if tls[key]]
    files = {Path(file): stamp_of(Path(file)) for file in named}
    try:
        context = _context(tls)
    except OSError as error:  # they were good when they were checked, a moment ago
        leans_on = tuple((str(file), stamp) for file, stamp in files.items())
        message = f"cannot be used: {error}"
        problem = Problem(str(path), 1, "tls_server_config", message, leans_on)
        raise ConfigError([problem]) from None
    return WebConfiguration(
        context=context,
        allowed_names=frozenset(tls["client_allowed_sans"]),
        users=web["basic_auth_users"],
        headers=headers,
        files=files,
    )


def _context(tls: Mapping[str, Any]) -> ssl.SSLContext:
    import ssl  # noqa: PLC0415  # 4 MB that only TLS needs

    versions = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
    modes = {
        "NoClientCert": ssl.CERT_NONE,
        "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
        "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
    }
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = versions[tls["min_version"]]
    context.maximum_version = versions[tls["max_version"]]
    context.verify_mode = modes[tls["client_auth_type"]]
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(tls["cert_file"], tls["key_file"])
    if tls["client_ca_file"]:
        context.load_verify_locations(tls["client_ca_file"])
    return context
