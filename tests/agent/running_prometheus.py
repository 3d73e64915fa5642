"""The real Prometheus, scraping what a test tells it to."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from tests.waiting import wait_until

CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: agent
    static_configs: [{{targets: ["{target}"]}}]
"""


class RunningPrometheus:
    """One on a free port.

    ``options`` are further lines of the one scrape configuration, indented by four blanks;
    ``flags`` are of the command line.
    """

    def __init__(self, directory, target, options="", flags=()):
        (directory / "prometheus.yml").write_text(CONFIG.format(target=target) + options)
        self.process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={directory}/prometheus.yml",
                f"--storage.tsdb.path={directory}/data",
                "--web.listen-address=127.0.0.1:0",
                "--log.format=json",
                *flags,
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = self._listening()
        wait_until(self._is_ready, what="Prometheus being ready")

    def _listening(self):
        for line in self.process.stderr:
            entry = json.loads(line)
            if entry.get("msg") == "Listening on":
                return f"http://{entry['address']}"
        raise AssertionError("Prometheus ended before it listened")

    def _is_ready(self):
        try:
            return urllib.request.urlopen(f"{self.url}/-/ready", timeout=10).status == 200
        except urllib.error.HTTPError:
            return False

    def query(self, expression):
        path = f"/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return [item["value"][1] for item in json.load(answer)["data"]["result"]]

    def stop(self):
        self.process.terminate()
        self.process.stderr.close()
        self.process.wait(20)
