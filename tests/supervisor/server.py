"""A process to supervise: PORT [not-ready] [stubborn] [parent]."""

import http.server
import os
import signal
import subprocess
import sys
from pathlib import Path

PORT, TRAITS = int(sys.argv[1]), set(sys.argv[2:])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os.write(1, b'{"level": "error", "msg": "asked to crash"}\n')
            os._exit(3)
        not_ready = "not-ready" in TRAITS
        body = b'{"reasons": {"database": "the database is away"}}' if not_ready else b"{}"
        self.send_response(503 if not_ready else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if "stubborn" in TRAITS:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "parent" in TRAITS:
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    Path(os.environ["CHILD_PID_FILE"]).write_text(str(child.pid))
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
