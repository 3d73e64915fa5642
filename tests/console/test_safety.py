"""What the console promises browsers: nothing runs but our own files."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

import dashboards.console
from tests.console.incident_data import incident

ROOM = Path(dashboards.console.__file__).parent
VENDOR = ROOM / "static" / "vendor"


def test_every_vendored_file_is_the_one_whose_hash_is_listed():
    listed = {}
    for line in (VENDOR / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split()
        listed[name] = digest
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.parent != VENDOR
    }
    assert found == listed


def test_every_vendored_package_has_its_licence():
    packages = [path for path in VENDOR.iterdir() if path.is_dir()]
    assert packages
    assert all((package / "LICENSE").is_file() for package in packages)


@pytest.mark.parametrize(
    "path", ["/", "/incidents/none", "/nowhere", "/api/series/none", "/healthz"]
)
def test_every_answer_carries_the_strict_policy(neighbourhood, path):
    headers = neighbourhood.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_templates_never_switch_escaping_off_nor_carry_scripts_or_styles():
    for template in (ROOM / "templates").glob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", text), template.name
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|hx-on", text), (
            template.name
        )


def test_pages_name_no_address_off_this_machine(neighbourhood):
    neighbourhood.incidents.append(incident())
    for path in ("/", "/incidents/i-1"):
        page = neighbourhood.get(path).text
        assert re.findall(r'(?:src|href|hx-get|data-chart)="(?:https?:)?//', page) == []


def test_an_error_of_ours_is_a_page_without_a_traceback(neighbourhood):
    def broken():
        raise RuntimeError("secret internals")

    neighbourhood.service.app.add_url_rule("/broken", view_func=broken)
    neighbourhood.service.app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = neighbourhood.get("/broken")
    assert answer.status_code == 500
    assert "This page cannot be shown" in answer.text
    assert "secret internals" not in answer.text
    assert "Traceback" not in answer.text


def test_files_are_cached_by_their_content_and_pages_never(neighbourhood):
    page = neighbourhood.get("/")
    assert page.headers["Cache-Control"] == "no-store"
    style = re.search(r'href="(/static/console.css\?v=\w+)"', page.text)[1]
    assert "immutable" in neighbourhood.get(style).headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/", "/static/console.css", "/static/vendor/htmx/htmx.min.js"])
def test_what_is_sent_compressed_is_what_would_be_sent_plainly(neighbourhood, path):
    plain = neighbourhood.get(path)
    small = neighbourhood.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(small.data) == plain.data
    assert len(small.data) < len(plain.data) / 2
