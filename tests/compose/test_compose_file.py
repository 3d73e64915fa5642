"""The compose stack: what the real Compose makes of it, and what every container is held to."""

import functools
import json
import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml
from opentelemetry.sdk.trace import TracerProvider
from standardwebhooks import Webhook

from alerting.openapi.operations import OPERATIONS
from anomaly.jobs import THREADS as ANOMALY_THREADS
from dashboards.console.cli import THREADS as CONSOLE_THREADS
from tests.compose.compose_binary import compose_binary
from tests.prometheus.rulebook import PROJECT
from watchkeeper import check
from watchkeeper.configuration import load
from watchkeeper.instrument.tracing import current_exemplar

PLAIN = ()
DEMO = ("--env-file", "docker/demo.env")
TASKBOARD = {"taskboard", "taskboard-partner", "taskboard-worker", "taskboard-load"}
PROVISIONING = PROJECT / "grafana" / "provisioning"
SCHEMAS = PROJECT / "tests" / "dashboards" / "schema"
WEBHOOK_SETTINGS = {
    "url", "httpMethod", "username", "password", "authorization_scheme",
    "authorization_credentials", "maxAlerts", "title", "message", "tlsConfig", "hmacConfig",
}  # fmt: skip
"""What Grafana 11.6 reads of a webhook; anything else it would overlook."""
OURS = {"agent", "anomaly", "alerting", "remediation", "console"}


def compose(*arguments):
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith("WATCHKEEPER")
    }
    return subprocess.run(
        [compose_binary(), *arguments],
        cwd=PROJECT,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )


@functools.cache
def services(variant=DEMO):
    """Return each service as Compose understands it, variables filled and anchors followed."""
    return json.loads(compose(*variant, "config", "--format", "json").stdout)["services"]


def names_of_demo_services():
    return yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"].keys()


each_service = pytest.mark.parametrize("name", sorted(names_of_demo_services()))


@pytest.mark.parametrize("variant", [PLAIN, DEMO], ids=["plain", "demo"])
def test_the_real_compose_accepts_the_file_without_a_warning(variant):
    done = compose(*variant, "config", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_demo_is_a_profile_that_adds_the_taskboard_and_its_servers():
    added = services(DEMO).keys() - services(PLAIN).keys()
    assert added == TASKBOARD | {"postgres", "valkey"}
    assert services(PLAIN).keys() == OURS | {"prometheus", "grafana"}


@each_service
def test_a_container_gains_no_privileges_and_cannot_write_its_image(name):
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged", False)


@each_service
def test_a_container_is_bounded(name):
    limits = services()[name]["deploy"]["resources"]["limits"]
    assert float(limits["cpus"]) <= 2
    assert int(limits["memory"]) <= 1 << 30
    assert limits["pids"] <= 500


@pytest.mark.parametrize(
    ("name", "threads"), [("console", CONSOLE_THREADS), ("anomaly", ANOMALY_THREADS)]
)
def test_a_container_may_have_the_threads_its_service_starts(name, threads):
    limits = services()[name]["deploy"]["resources"]["limits"]
    assert limits["pids"] >= threads + 50  # of its watches, schedules and libraries


@each_service
def test_only_loopback_ports_are_published(name):
    assert {port["host_ip"] for port in services()[name].get("ports", [])} <= {"127.0.0.1"}


@each_service
def test_what_is_mounted_exists_and_is_read_only_unless_it_is_a_volume(name):
    for volume in services()[name].get("volumes", []):
        if volume["type"] == "volume":
            continue
        assert Path(volume["source"]).exists(), f"{name} mounts {volume['source']}"
        assert volume["read_only"] is True


def test_configurations_and_secrets_are_files_which_can_be_mounted_into_a_read_only_container():
    declared = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    for given in (*declared["configs"].values(), *declared["secrets"].values()):
        assert given.keys() == {"file"}
    for given in declared["configs"].values():
        assert (PROJECT / given["file"]).is_file()


@each_service
def test_an_image_is_ours_or_of_a_release(name):
    service = services()[name]
    if "build" not in service:
        _, _, tag = service["image"].rpartition(":")
        assert tag.removeprefix("v")[0].isdigit(), f"{service['image']} is not pinned to a release"


@each_service
def test_no_secret_stands_in_the_environment(name):
    for variable, value in services()[name].get("environment", {}).items():
        if "PASSWORD" in variable or "TOKEN" in variable:
            assert value.startswith("/run/secrets/"), f"{variable} of {name}"


@pytest.mark.parametrize("name", ["prometheus", "grafana", "postgres", "valkey"])
def test_an_image_of_others_gets_a_health_check(name):
    assert services()[name]["healthcheck"]["test"][0] == "CMD"


def test_prometheus_keeps_ninety_days():
    assert "--storage.tsdb.retention.time=90d" in services()["prometheus"]["command"]


def test_every_part_of_ours_is_asked_for_the_token():
    for name in OURS:
        environment = services()[name]["environment"]
        assert environment["WATCHKEEPER_API_TOKEN_FILE"] == "/run/secrets/api-token"


@pytest.mark.parametrize(
    ("directory", "hosts"),
    [
        ("targets", OURS),
        ("alertmanagers", {"alerting"}),
        ("demo", TASKBOARD),
    ],
)
def test_prometheus_is_pointed_at_the_port_each_service_listens_on(directory, hosts):
    found = set()
    for file in (PROJECT / "prometheus" / "compose" / directory).glob("*.json"):
        for group in json.loads(file.read_text()):
            for target in group["targets"]:
                host, _, port = target.partition(":")
                if host != "127.0.0.1":  # Prometheus itself
                    found.add(host)
                    assert port in " ".join([*command_of(host), port_of(host)])
    assert found == hosts


def command_of(name):
    return services()[name].get("command") or []


def port_of(name):
    return {"console": "8300"}.get(name, "")


@pytest.mark.parametrize(
    ("file", "model"),
    [
        ("docker/agent.yml", "agent.yml"),
        ("docker/demo/agent.yml", "agent.yml"),
        ("docker/alerting.yml", "alerting.yml"),
        ("docker/demo/endpoint.yml", "endpoint.yml"),
    ],
)
def test_a_configuration_for_containers_is_valid(file, model, tmp_path, monkeypatch):
    make_secrets(tmp_path / "secrets")
    monkeypatch.setenv("WATCHKEEPER_DATA_DIR", str(tmp_path))
    load(PROJECT / file, check.model_of(model))


def test_grafana_finds_the_dashboards_where_its_provider_looks():
    provider = provisioning("dashboards/watchkeeper.yml")["providers"][0]
    mounted = {volume["target"] for volume in services()["grafana"]["volumes"]}
    assert provider["options"]["path"] in mounted


def test_grafana_has_the_data_source_every_dashboard_names():
    source = datasource("watchkeeper")
    assert source["uid"] == "watchkeeper-prometheus"
    dashboards = list((PROJECT / "grafana" / "dashboards").glob("*.json"))
    assert dashboards
    for dashboard in dashboards:
        assert source["uid"] in dashboard.read_text()


def test_prometheus_keeps_the_traces_of_single_requests_and_grafana_leads_to_them():
    flag = "--enable-feature=exemplar-storage"
    assert flag in services()["prometheus"]["command"]
    stack = yaml.safe_load(check.config_file("stack.yml", None).read_text())
    assert flag in stack["processes"]["prometheus"]["command"]
    (destination,) = datasource("watchkeeper")["jsonData"]["exemplarTraceIdDestinations"]
    with TracerProvider().get_tracer("shop").start_as_current_span("request"):
        assert destination["name"] in current_exemplar()
    assert destination["datasourceUid"] == datasource("traces")["uid"]


def test_the_data_sources_of_grafana_are_told_apart():
    found = [datasource(path.stem) for path in (PROVISIONING / "datasources").iterdir()]
    assert len({source["uid"] for source in found}) == len(found) == 2
    assert [source["name"] for source in found if source.get("isDefault")] == ["Watchkeeper"]


def test_what_grafana_is_provisioned_with_is_mounted_and_has_what_it_names():
    grafana = services()["grafana"]
    mounts = {volume["source"]: volume["target"] for volume in grafana["volumes"]}
    assert mounts[str(PROVISIONING)] == "/etc/grafana/provisioning"
    text = "".join(path.read_text() for path in PROVISIONING.rglob("*.yml"))
    assert set(re.findall(r"\$\{(\w+)\}", text)) <= grafana["environment"].keys()
    secrets = {f"/run/secrets/{secret['source']}" for secret in grafana["secrets"]}
    files = re.findall(r"\$__file\{([^}]+)\}", text)
    assert files
    assert set(files) <= secrets


def test_the_contact_point_fits_grafanas_schema():
    schema = json.loads((SCHEMAS / "alerting.json").read_text())
    schema["$ref"] = "#/definitions/ContactPoint"
    (receiver,) = contact_point()["receivers"]
    jsonschema.validate(receiver, schema)
    assert receiver["settings"].keys() <= WEBHOOK_SETTINGS


def test_the_contact_point_leads_to_where_our_alerting_takes_webhooks():
    (receiver,) = contact_point()["receivers"]
    environment = services()["grafana"]["environment"]
    variable, _, path = receiver["settings"]["url"].partition("/")
    address = environment[variable.removeprefix("${").removesuffix("}")]
    host, port = urlsplit(address).hostname, urlsplit(address).port
    assert f"--listen=0.0.0.0:{port}" in services()[host]["command"]
    assert (receiver["settings"]["httpMethod"], f"/{path}") in OPERATIONS


def contact_point():
    (found,) = provisioning("alerting/watchkeeper.yml")["contactPoints"]
    return found


def datasource(name):
    (found,) = provisioning(f"datasources/{name}.yml")["datasources"]
    return found


def provisioning(name):
    return yaml.safe_load((PROVISIONING / name).read_text())


def make_secrets(directory):
    subprocess.run(["sh", "docker/make-secrets.sh", directory], cwd=PROJECT, check=True)
    return {path.name: path.read_text().strip() for path in directory.iterdir()}


def test_the_secrets_are_made_once_and_only_their_owner_can_reach_them(tmp_path):
    directory = tmp_path / "secrets"
    first = make_secrets(directory)
    assert make_secrets(directory) == first
    assert directory.stat().st_mode & 0o077 == 0
    assert len(set(first.values())) == len(first)
    declared = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["secrets"]
    assert first.keys() == declared.keys()


def test_the_webhook_secret_signs_as_standard_webhooks_does(tmp_path):
    Webhook(make_secrets(tmp_path / "secrets")["remediation-webhook"])
