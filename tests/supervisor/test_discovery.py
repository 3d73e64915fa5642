import json

import pytest

from watchkeeper.supervisor.discovery import Discovery
from watchkeeper.supervisor.settings import ProcessSettings
from watchkeeper.supervisor.stack import Place, Stack

SCRAPE = {"job": "shop", "service": "shop-front"}


@pytest.fixture
def stack(tmp_path):
    processes = {
        "web": {"command": ["x"], "port": 5000, "maximum_instances": 4, "scrape": SCRAPE},
        "db": {"command": ["x"], "port": 6000},
        "alerting": {"command": ["x"], "port": 7000},
    }
    settings = {name: ProcessSettings(**one) for name, one in processes.items()}
    return Stack(settings, Place(tmp_path, port_offset=10))


@pytest.fixture
def discovery(tmp_path, stack):
    return Discovery(tmp_path / "source", tmp_path / "prometheus", stack)


def contents(directory):
    return {path.name: json.loads(path.read_text()) for path in directory.iterdir()}


def test_each_scraped_process_is_a_target_with_its_labels(discovery, tmp_path):
    discovery.announce({"web": 2, "db": 1, "alerting": 1})
    assert contents(tmp_path / "prometheus" / "targets") == {
        "web.json": [{"targets": ["127.0.0.1:5010", "127.0.0.1:5011"], "labels": SCRAPE}]
    }


def test_alerts_go_to_our_alerting(discovery, tmp_path):
    discovery.announce({"alerting": 1})
    found = contents(tmp_path / "prometheus" / "alertmanagers")
    assert found == {"alerting.json": [{"targets": ["127.0.0.1:7010"]}]}


def test_targets_of_an_earlier_stack_are_gone(discovery, tmp_path):
    targets = tmp_path / "prometheus" / "targets"
    targets.mkdir(parents=True)
    (targets / "old.json").write_text("[]")
    discovery.announce({"web": 1})
    assert list(contents(targets)) == ["web.json"]


def test_the_configuration_is_copied_and_rules_of_the_user_stay(discovery, tmp_path):
    source, copy = tmp_path / "source", tmp_path / "prometheus"
    (source / "rules").mkdir(parents=True)
    (source / "rules" / "ours.yml").write_text("ours")
    (source / "prometheus.yml").write_text("configuration")
    assert discovery.prepare() == []
    (copy / "rules" / "mine.yml").write_text("mine")
    (copy / "prometheus.yml").write_text("corrected")
    assert discovery.prepare() == [copy / "prometheus.yml"]
    assert (copy / "prometheus.yml").read_text() == "corrected"
    assert {path.name for path in (copy / "rules").iterdir()} == {"mine.yml", "ours.yml"}


def test_targets_a_user_added_to_the_copy_stay(discovery, tmp_path):
    mine = tmp_path / "prometheus" / "applications" / "mine.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("[]")
    (tmp_path / "source" / "applications").mkdir(parents=True)
    discovery.prepare()
    assert mine.exists()
