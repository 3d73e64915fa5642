from pathlib import Path

import pytest
import yaml

from remediation.api import make_service
from tests.remediation import postgres_server
from tests.remediation.calls import SECRET, body, headers
from tests.waiting import wait_until


class Endpoint:
    """The service on the data directory of the environment, asked through its HTTP interface."""

    def __init__(self, config):
        self.config = config
        self.service = make_service(config)
        self.http = self.service.app.test_client()

    def stop(self):
        for hook in self.service._stop_hooks:
            hook()

    def post(self, text, sent=None):
        return self.http.post("/api/v1/actions", data=text, headers=sent or headers(text))

    def call(self, **data):
        return self.post(body(**data))

    def entry(self, key):
        return self.http.get(f"/api/v1/actions/{key}").get_json()

    def finished(self, answer):
        """Return the entry of an accepted call once it has ended."""
        assert answer.status_code == 202, answer.get_json()
        key = answer.get_json()["idempotency_key"]

        def ended():
            entry = self.entry(key)
            return entry if entry["finished_at"] else None

        return wait_until(ended, what=f"{key} has ended")

    def metrics(self):
        return self.http.get("/metrics").get_data(as_text=True)


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("WATCHKEEPER_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def write_config(data_dir):
    """Write an endpoint.yml with the given actions and return its path."""

    def write(secret=SECRET, **actions) -> Path:
        (data_dir / "key").write_text(secret)
        named = {name.replace("_", "-"): targets for name, targets in actions.items()}
        content = {"signing_secret": {"file": str(data_dir / "key")}, "actions": named}
        path = data_dir / "endpoint.yml"
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.fixture
def endpoint(write_config):
    """Make the endpoint with the given actions allowed."""
    made = []

    def make(**actions):
        made.append(Endpoint(write_config(**actions)))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="session")
def postgres_port(tmp_path_factory):
    with postgres_server.running(tmp_path_factory.mktemp("postgres")) as port:
        yield port
