"""A real RabbitMQ of its own: Debian's, on free ports, with nothing of it left behind."""

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.ports import free_port
from tests.waiting import wait_until

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""What the one on PATH becomes after it has changed to a user of its own."""


@dataclass
class RabbitMQ:
    """Ports of the broker, its management API and its own Prometheus plugin."""

    amqp: int
    management: int
    plugin: int

    @property
    def url(self):
        return f"http://127.0.0.1:{self.management}"

    @property
    def broker_url(self):
        return f"amqp://guest:guest@127.0.0.1:{self.amqp}//"

    def call(self, method, path, **body):
        answer = requests.request(
            method, f"{self.url}/api/{path}", json=body, auth=("guest", "guest"), timeout=10
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def page(self, path="/metrics"):
        return requests.get(f"http://127.0.0.1:{self.plugin}{path}", timeout=10).text

    def answers(self):
        with contextlib.suppress(requests.RequestException):
            return self.call("GET", "overview")
        return None


@contextlib.contextmanager
def serving(directory):
    amqp, management, plugin, distribution, mapper = (free_port() for _ in range(5))
    directory.mkdir(parents=True, exist_ok=True)
    config, plugins = directory / "rabbitmq.conf", directory / "enabled_plugins"
    config.write_text(
        f"listeners.tcp.1 = 127.0.0.1:{amqp}\n"
        f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {management}\n"
        f"prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {plugin}\n"
        "collect_statistics_interval = 500\n"
    )
    plugins.write_text("[rabbitmq_management,rabbitmq_prometheus].")
    environment = os.environ | {
        "HOME": str(directory),
        "RABBITMQ_NODENAME": f"test{amqp}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(directory / "data"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    process = subprocess.Popen(
        [str(PROGRAM)], env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    server = RabbitMQ(amqp, management, plugin)
    try:
        wait_until(server.answers, timeout_seconds=180, what="RabbitMQ's management API")
        yield server
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
        # Erlang leaves its port mapper behind; this one is ours alone.
        end_mapper = ["epmd", "-port", str(mapper), "-kill"]
        wait_until(
            lambda: (
                subprocess.run(end_mapper, check=False, stdout=subprocess.DEVNULL).returncode == 0
            ),
            what="the end of Erlang's port mapper",
        )
