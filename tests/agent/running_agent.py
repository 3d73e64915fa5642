"""The agent as its users run it, on a free port."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

from tests.agent.probes import Page


class RunningAgent:
    """The command at work on a free port."""

    def __init__(self, config, *options, **environment):
        command = [sys.executable, "-m", "watchkeeper", "agent", "--config", str(config)]
        self.process = subprocess.Popen(
            [*command, "--listen", "127.0.0.1:0", *options],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.url = self._address()

    def _address(self):
        said = ""
        for line in self.process.stderr:
            said += line
            if found := re.search(r'"address": "(https?://[^"]+)"', line):
                return found[1]
        raise AssertionError(said)

    def get(self, path="/metrics", **headers):
        request = urllib.request.Request(self.url + path)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            return urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as error:
            return error

    def page(self):
        return Page(self.get().read())

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        log = self.process.stderr.read()
        self.process.stderr.close()
        return self.process.wait(20), log
