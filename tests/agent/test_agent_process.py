"""The agent as its users run it: the command, its server, its configuration."""

import gzip
import json
import re
import socket
import subprocess
import sys

import pytest

from tests.agent.probes import Page
from tests.agent.running_agent import RunningAgent
from tests.waiting import wait_until

CONFIG = "interval: 200ms\ndeadline: 1s\ndiscover: false\nhost: {collectors: [load, memory]}\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    config = tmp_path_factory.mktemp("agent") / "agent.yml"
    config.write_text(CONFIG)
    running = RunningAgent(config)
    wait_until(lambda: running.get("/readyz").status == 200, what="the first collection")
    yield running
    running.stop()


def test_once_prints_one_full_collection(tmp_path):
    config = tmp_path / "agent.yml"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "watchkeeper", "agent", "--once", "--config", str(config)]
    page = Page(subprocess.run(command, capture_output=True, check=True).stdout)
    assert page.value("node_memory_MemTotal_bytes") > 0
    assert page.value("watchkeeper_collector_success", collector="memory") == 1
    assert page.value("node_scrape_collector_success", collector="memory") == 1
    assert page.value("node_scrape_collector_duration_seconds", collector="memory") > 0


def test_it_tells_what_it_runs_on_without_a_secret(tmp_path):
    config = tmp_path / "agent.yml"
    config.write_text(
        CONFIG + "postgres: [{host: 127.0.0.1, port: 1, password: {env: PG_SECRET}}]\n"
    )
    running = RunningAgent(config, PG_SECRET="hunter2")
    try:
        text = running.get("/api/v1/configuration").read().decode()
    finally:
        running.stop()
    [file] = json.loads(text)["files"]
    assert (file["file"], file["problem"]) == ("agent.yml", None)
    assert file["settings"]["host"]["collectors"] == ["load", "memory"]
    assert file["settings"]["postgres"][0]["password"]["env"] == "PG_SECRET"
    assert "hunter2" not in text


def test_list_names_what_would_run(tmp_path):
    config = tmp_path / "agent.yml"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "watchkeeper", "agent", "--list", "--config", str(config)]
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    words = [line.split() for line in printed.splitlines()]
    run = [line[0] for line in words if "watched" not in line]
    assert run == ["process", "load", "memory"]
    assert words[1][-2:] == ["3", "series"]


def test_list_says_of_every_other_collector_why_it_does_not_run(tmp_path):
    config = tmp_path / "agent.yml"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "watchkeeper", "agent", "--list", "--config", str(config)]
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    left_out = dict(re.findall(r"^(\S+) +not watched +(.+)$", printed, re.MULTILINE))
    assert left_out["cpu"] == "not in host.collectors"
    assert left_out["probe"] == "not configured"
    assert "name it in host.collectors" in left_out["processes"]
    assert {"load", "memory", "process"}.isdisjoint(left_out)


@pytest.mark.parametrize("options", [["--once"], []])
def test_a_bad_file_is_explained_and_nothing_starts(tmp_path, options):
    config = tmp_path / "agent.yml"
    config.write_text("interval: soon\n")
    command = [sys.executable, "-m", "watchkeeper", "agent", "--config", str(config), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"{config}:1: interval: expected a duration" in done.stderr


def test_an_address_that_is_taken_is_told_in_one_line(tmp_path):
    config = tmp_path / "agent.yml"
    config.write_text(CONFIG)
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        command = [sys.executable, "-m", "watchkeeper", "agent", "--config", str(config)]
        done = subprocess.run(
            [*command, "--listen", address], capture_output=True, text=True, check=False, timeout=60
        )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.startswith(f"--listen: cannot listen on {address}: another program listens there")


@pytest.mark.parametrize("option", ["--once", "--list"])
def test_a_look_says_which_collector_failed_and_why(tmp_path, option):
    config = tmp_path / "agent.yml"
    config.write_text("discover: false\nhost: {collectors: []}\nredis: [{port: 1}]\n")
    command = [sys.executable, "-m", "watchkeeper", "agent", option, "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    assert line.startswith("collector failed: collector redis 127.0.0.1:1, reason connection, ")


def test_it_is_ready_after_the_first_collection_and_tells_of_itself(running):
    page = running.page()
    assert page.value("watchkeeper_ready", service="agent") == 1
    assert page.value("watchkeeper_build_info", service="agent") == 1
    assert page.value("watchkeeper_config_last_reload_successful", file="agent.yml") == 1
    assert page.value("process_resident_memory_bytes") > 0
    assert page.value("process_start_time_seconds") > 1.6e9


def test_a_page_is_compressed_only_for_who_asks(running):
    plain, packed = running.get(), running.get(Accept_Encoding="gzip")
    assert plain.headers["Content-Encoding"] is None
    assert packed.headers["Content-Encoding"] == "gzip"
    assert b"node_load1 " in gzip.decompress(packed.read())


def test_openmetrics_is_served_to_who_asks(running):
    answer = running.get(Accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.read().endswith(b"# EOF\n")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/healthz", {"Host": "anything"}, 200),
        ("/nowhere", {}, 404),
        ("/metrics", {"Host": "evil.example"}, 403),
        ("/metrics", {"Origin": "https://evil.example"}, 403),
    ],
)
def test_who_may_ask_what_is_the_rule_of_all_services(running, path, headers, status):
    assert running.get(path, **headers).status == status


def test_a_token_is_asked_for_when_there_is_one(tmp_path):
    config, token = tmp_path / "agent.yml", tmp_path / "token"
    config.write_text(CONFIG)
    token.write_text("s3cret\n")
    running = RunningAgent(config, WATCHKEEPER_API_TOKEN_FILE=str(token))
    try:
        assert running.get().status == 401
        assert running.get(Authorization="Bearer s3cret").status == 200
        assert running.get("/healthz").status == 200
    finally:
        running.stop()


def test_an_edit_is_taken_up_and_a_bad_one_is_told_and_survived(tmp_path):
    config = tmp_path / "agent.yml"
    config.write_text(CONFIG)
    running = RunningAgent(config)
    reloaded = "watchkeeper_config_last_reload_successful"
    try:
        config.write_text(CONFIG.replace("memory", "vmstat"))
        wait_until(lambda: running.page().value("node_vmstat_pgfault"), what="the edit at work")
        assert running.page().value("node_memory_MemTotal_bytes") is None
        config.write_text("interval: soon\n")
        wait_until(lambda: running.page().value(reloaded) == 0, what="the bad edit being told")
        assert running.page().value("node_vmstat_pgfault")
        config.write_text(CONFIG)
        wait_until(lambda: running.page().value(reloaded) == 1, what="the good edit being told")
    finally:
        code, log = running.stop()
    assert code == 0
    assert "the changed file cannot be used" in log


def test_it_ends_at_once_when_asked_to(tmp_path):
    config = tmp_path / "agent.yml"
    config.write_text(CONFIG)
    code, log = RunningAgent(config).stop()
    assert code == 0
    assert '"msg": "stopped"' in log
