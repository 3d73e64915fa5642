"""An OTLP/HTTP receiver: takes what it is sent, decodes it, and answers as a test tells it to."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)


class OtlpReceiver:
    """Listens on a free port, or on the one given.

    ``answers`` holds the (status, headers) of the next answers; then all is well.
    """

    def __init__(self, port=0):
        self.taken, self.asked, self.answers, self.rejected_points = [], [], [], 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver._take(self, body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/v1/metrics"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _take(self, handler, body):
        self.asked.append((handler.path, dict(handler.headers)))
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        answer = b""
        if status == 200:
            assert handler.headers["Content-Type"] == "application/x-protobuf"
            assert handler.headers["Content-Encoding"] == "gzip"
            self.taken.append(ExportMetricsServiceRequest.FromString(gzip.decompress(body)))
            response = ExportMetricsServiceResponse()
            response.partial_success.rejected_data_points = self.rejected_points
            answer = response.SerializeToString()
        handler.send_response(status)
        for name, value in {"Content-Type": "application/x-protobuf", **headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def metrics(self):
        """All metrics taken, oldest message first."""
        return [
            metric
            for message in self.taken
            for resource in message.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]

    def times(self):
        """When the newest gauge of each message was collected, in Unix seconds."""
        return [
            max(
                point.time_unix_nano / 1e9
                for metric in message.resource_metrics[0].scope_metrics[0].metrics
                for point in metric.gauge.data_points
            )
            for message in self.taken
        ]

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
