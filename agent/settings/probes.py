"""What of ``agent.yml`` is about services to probe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from agent.probe.body import compiled
from agent.probe.target import parse_target
from agent.recipe import Recipe
from agent.settings.pace import Pace
from watchkeeper.configuration import Settings


def _url(url: str) -> str:
    parse_target(url)
    return url


def _body_expression(text: str) -> str:
    if text:
        compiled(text)
    return text


class ProbeSettings(Settings):
    """One service to probe.

    Attributes:
        url: ``http://…``, ``https://…``, ``tcp://host:port`` or ``tls://host:port``. No password
            belongs in it: it becomes a label.
        expect_status: statuses that are good; none means any from 200 to 299.
        expect_body: a regular expression, as RE2 knows it, that the body must match somewhere.
        follow_redirects: go where an answer points, unless its status is an expected one.
        certificates: file with the authorities to trust instead of the system's.
    """

    url: Annotated[str, AfterValidator(_url)]
    expect_status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()
    expect_body: Annotated[str, AfterValidator(_body_expression)] = ""
    follow_redirects: bool = True
    certificates: str = ""

    def recipes(self, pace: Pace) -> Iterator[Recipe]:
        """Yield what to run."""
        arguments = self.model_dump() | {"timeout_seconds": pace.run_seconds}
        yield pace.recipe(f"probe {self.url}", "probe", arguments)
