"""Getting Prometheus: only the pinned archive, whole or not at all."""

import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from watchkeeper.errors import Reason, Refused, UpstreamError
from watchkeeper.supervisor import prometheus_binary
from watchkeeper.supervisor.release_archive import ReleaseArchive

PROGRAMS = ("prometheus", "promtool")


def archive_of(*names):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in names:
            content = f"#!/bin/sh\necho {name}\n".encode()
            member = tarfile.TarInfo(f"prometheus-1.2.3.linux-amd64/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


class ReleaseServer:
    """Serves one archive, or only the first part of it."""

    def __init__(self, content, *, sent_bytes=None):
        handler = type("Handler", (BaseHTTPRequestHandler,), {"do_GET": self._answer(sent_bytes)})
        handler.log_message = lambda *_: None
        self.content = content
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}/release.tar.gz"

    def _answer(self, sent_bytes):
        def do_get(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(self.content)))
            handler.end_headers()
            handler.wfile.write(self.content[:sent_bytes])

        return do_get

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def sha256_of(content):
    return hashlib.sha256(content).hexdigest()


def test_a_pinned_archive_is_unpacked_with_its_programs_runnable(tmp_path):
    content = archive_of("prometheus", "promtool", "consoles")
    with ReleaseServer(content) as server:
        ReleaseArchive(server.url, sha256_of(content), PROGRAMS).install(tmp_path / "here")
    assert {path.name for path in (tmp_path / "here").iterdir()} == set(PROGRAMS)
    assert all(path.stat().st_mode & 0o111 for path in (tmp_path / "here").iterdir())


def test_an_archive_with_another_checksum_is_refused_and_leaves_nothing(tmp_path):
    with ReleaseServer(archive_of(*PROGRAMS)) as server:
        archive = ReleaseArchive(server.url, "0" * 64, PROGRAMS)
        with pytest.raises(UpstreamError, match=f"expected SHA-256 {'0' * 64}") as refusal:
            archive.install(tmp_path / "here")
    assert refusal.value.reason is Reason.BAD_ANSWER
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_breaks_off_leaves_nothing(tmp_path):
    content = archive_of(*PROGRAMS)
    with ReleaseServer(content, sent_bytes=len(content) // 2) as server:
        archive = ReleaseArchive(server.url, sha256_of(content), PROGRAMS)
        with pytest.raises(UpstreamError, match="cannot be fetched"):
            archive.install(tmp_path / "here")
    assert list(tmp_path.iterdir()) == []


def test_an_archive_without_a_wanted_program_is_refused_and_leaves_nothing(tmp_path):
    content = archive_of("prometheus")
    with ReleaseServer(content) as server:
        archive = ReleaseArchive(server.url, sha256_of(content), PROGRAMS)
        with pytest.raises(UpstreamError, match="holds no promtool"):
            archive.install(tmp_path / "here")
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_release_is_told_with_its_address(tmp_path):
    with ReleaseServer(b"") as server:
        gone = server.url
    with pytest.raises(UpstreamError, match=gone):
        ReleaseArchive(gone, "0" * 64, PROGRAMS).install(tmp_path / "here")


def test_a_platform_without_a_pinned_release_is_named_with_what_to_do():
    with pytest.raises(Refused, match=r"plan9-mips.*install Prometheus 2\.42 or newer"):
        prometheus_binary.release_for("plan9-mips")


@pytest.mark.parametrize("target", ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"])
def test_the_platforms_we_promise_have_an_archive_and_a_checksum_of_their_own(target):
    release = prometheus_binary.release_for(target)
    assert release.url.endswith(f"prometheus-{prometheus_binary.VERSION}.{target}.tar.gz")
    assert int(release.sha256, 16) < 1 << 256
    assert len(release.sha256) == 64


def test_a_cached_release_is_found_where_path_has_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert prometheus_binary.find(tmp_path) is None
    program = prometheus_binary._cached(tmp_path) / "prometheus"
    program.parent.mkdir()
    program.touch(mode=0o755)
    assert prometheus_binary.find(tmp_path) == program


def test_a_program_on_path_goes_before_the_cache(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "prometheus"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    assert prometheus_binary.find(tmp_path) == program
