"""Services to probe: in order, redirecting, slow, endless, with and without TLS."""

import contextlib
import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BODY = b'{"status": "ok"}'

ONE_LONG_LINE = b'{"status":"no"} ' * 20_000
"""Python's own expressions try ``.*"status":"ok".*`` at each of its characters anew: minutes."""


AWAY = {
    "gopher": "gopher://127.0.0.1/",
    "no-port": "http://127.0.0.1:99999/",
    "no-address": "http://[::1",
    "no-name": f"http://{'a' * 64}.example/",
    "dot": "https://.example/",
    "umlaut": "/größe",
    "blank": "/two words",
}
"""Where ``/away/NAME`` leads to, in raw UTF-8."""


class Service(BaseHTTPRequestHandler):
    """Answers with the status in its path; ``/redirect/N`` leads to ``/`` by N redirects."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        first, _, rest = self.path.strip("/").partition("/")
        if first == "redirect":
            next_one = "/" if int(rest) == 1 else f"/redirect/{int(rest) - 1}"
            return self._answer(302, b"", Location=next_one)
        if first == "away":
            return self._answer(302, b"", Location=AWAY[rest].encode().decode("latin-1"))
        if self.path in ("/gr%C3%B6%C3%9Fe", "/two%20words"):
            return self._answer(200, BODY)
        if first == "long":
            return self._answer(200, ONE_LONG_LINE)
        if first == "drip":
            return self._drip()
        return self._answer(int(first or 200), BODY)

    def _answer(self, status, body, **headers):
        self.send_response(status)
        self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self):
        """A header without end, a byte every tenth of a second."""
        self.send_response(200)
        self.flush_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(b"X-Drip: ")
            while not self.server.is_over.wait(0.1):
                self.wfile.write(b".")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(host="127.0.0.1", *, certificates=None):
    """The service on a free port."""
    server = ThreadingHTTPServer((host, 0), Service)
    server.daemon_threads = True
    server.is_over = threading.Event()
    if certificates is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.chain, certificates.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.is_over.set()
    server.shutdown()
    server.server_close()


class Parrot:
    """Answers each connection with the bytes that the test sets, whatever it is asked."""

    def __init__(self):
        self.answer = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._answer_all, daemon=True).start()

    def _answer_all(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.recv(1 << 16)
                connection.sendall(self.answer)

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@dataclass(frozen=True)
class Chain:
    """Files: the authority to trust, and what the server shows and keeps."""

    authority: Path
    chain: Path
    key: Path


def chain_in(directory):
    """A certificate of 60 days, signed by one of 20 days, which an authority of 90 days signed."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    def request(name, subject):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.csr", "-subj", subject)  # fmt: skip

    def sign(name, by, days, extensions):
        (directory / f"{name}.ext").write_text(extensions)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key",
                "-CAcreateserial", "-days", str(days), "-extfile", f"{name}.ext",
                "-out", f"{name}.pem")  # fmt: skip

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-keyout", "root.key",
            "-out", "root.pem", "-subj", "/C=DE/O=Example/CN=Root")  # fmt: skip
    request("between", "/C=DE/O=Example/OU=Keys/CN=Between")
    sign("between", "root", 20, "basicConstraints=critical,CA:TRUE\n")
    request("leaf", "/C=DE/ST=Bremen/L=Bremen/O=Example Shop/CN=localhost")
    sign("leaf", "between", 60, "subjectAltName=DNS:localhost,DNS:shop.example\n")
    shown = directory / "shown.pem"
    pieces = (directory / f"{name}.pem" for name in ("leaf", "between"))
    shown.write_text("".join(piece.read_text() for piece in pieces))
    return Chain(directory / "root.pem", shown, directory / "leaf.key")
