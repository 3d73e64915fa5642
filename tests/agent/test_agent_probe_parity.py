"""Beside Debian's blackbox_exporter: the same targets, probed by both within moments."""

import urllib.parse
import urllib.request

import pytest

from agent.collectors.probe import ProbeCollector
from agent.text import Renderer, TextFormat, text_of
from benchmarks import exporters
from benchmarks.scraped import Scraped
from tests.agent.probed_services import chain_in, serving
from tests.agent.told import Told
from tests.ports import free_port

pytestmark = pytest.mark.live

TIMES = ("probe_duration_seconds", "probe_dns_lookup_time_seconds", "probe_http_duration_seconds")

MODULES = """
modules:
  http:
    prober: http
    timeout: 5s
    http:
      preferred_ip_protocol: ip4
      fail_if_body_not_matches_regexp: ["status"]
      tls_config: {{ca_file: {authority}}}
  tcp:
    prober: tcp
    timeout: 5s
    tcp: {{preferred_ip_protocol: ip4}}
  tls:
    prober: tcp
    timeout: 5s
    tcp: {{preferred_ip_protocol: ip4, tls: true, tls_config: {{ca_file: {authority}}}}}
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return chain_in(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def ports(certificates):
    with serving() as plain, serving(certificates=certificates) as encrypted:
        yield {"plain": plain, "encrypted": encrypted}


@pytest.fixture(scope="module")
def exporter(certificates, tmp_path_factory):
    program = exporters.find_one("prometheus-blackbox-exporter", exporters.CACHE)
    config = tmp_path_factory.mktemp("blackbox") / "blackbox.yml"
    config.write_text(MODULES.format(authority=certificates.authority))
    port = free_port()
    options = [f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
    process = Scraped("blackbox", [str(program), *options], port)
    process.wait_until_it_answers()
    yield port
    process.stop()


TARGETS = {
    "answers": ("http", "http://127.0.0.1:{plain}/"),
    "redirects": ("http", "http://127.0.0.1:{plain}/redirect/3"),
    "redirects for ever": ("http", "http://127.0.0.1:{plain}/redirect/20"),
    "redirects to an umlaut": ("http", "http://127.0.0.1:{plain}/away/umlaut"),
    "redirects to a blank": ("http", "http://127.0.0.1:{plain}/away/blank"),
    "redirects to no port": ("http", "http://127.0.0.1:{plain}/away/no-port"),
    "redirects to no address": ("http", "http://127.0.0.1:{plain}/away/no-address"),
    "redirects to no name": ("http", "http://127.0.0.1:{plain}/away/no-name"),
    "fails": ("http", "http://127.0.0.1:{plain}/503"),
    "is empty": ("http", "http://127.0.0.1:{plain}/204"),
    "is encrypted": ("http", "https://localhost:{encrypted}/"),
    "takes connections": ("tcp", "tcp://127.0.0.1:{plain}"),
    "shows certificates": ("tls", "tls://localhost:{encrypted}"),
    "is not there": ("http", "http://127.0.0.1:1/"),
    "refuses connections": ("tcp", "tcp://127.0.0.1:1"),
}


@pytest.fixture(params=TARGETS.values(), ids=TARGETS)
def told(request, exporter, ports, certificates):
    """(theirs, ours) of one target."""
    module, pattern = request.param
    url = pattern.format(**ports)
    target = url if module == "http" else url.partition("//")[2]
    query = urllib.parse.urlencode({"module": module, "target": target})
    with urllib.request.urlopen(f"http://127.0.0.1:{exporter}/probe?{query}", timeout=10) as page:
        theirs = Told.read(page.read().decode())
    collector = ProbeCollector(
        url=url,
        expect_status=[],
        expect_body="status" if module == "http" else "",
        timeout_seconds=5.0,
        certificates=str(certificates.authority),
    )
    ours = text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS)
    return theirs, Told.read(ours.decode())


def without_target(labels):
    return frozenset((name, value) for name, value in labels if name != "target")


def test_what_is_found_out_is_the_same_under_the_same_names(told):
    theirs, ours = told
    assert theirs.types == ours.types
    mine = {(name, without_target(labels)): value for (name, labels), value in ours.values.items()}
    assert mine.keys() == theirs.values.keys()
    different = {
        series: (theirs.values[series], value)
        for series, value in mine.items()
        if not series[0].startswith(TIMES) and value != pytest.approx(theirs.values[series])
    }
    assert not different
    assert all(value >= 0 for series, value in mine.items() if series[0].startswith(TIMES))
