import sys

import pytest
import yaml

from watchkeeper.errors import ConfigError
from watchkeeper.supervisor.settings import ProcessSettings
from watchkeeper.supervisor.stack import Place, Stack, read


def process(port, **settings):
    return ProcessSettings(**{"command": ["true"], "port": port, **settings})


def stack_of(tmp_path, port_offset=0, **processes):
    return Stack(processes, Place(tmp_path, port_offset=port_offset))


def test_a_command_is_filled_for_its_instance(tmp_path):
    command = ["{python}", "{port}", "{port:db}", "{data_dir}/x", "{instance}"]
    web = process(5000, command=command, maximum_instances=3)
    stack = stack_of(tmp_path, port_offset=100, web=web, db=process(6000))
    launch = stack.launch("web", 2)
    assert launch.argv == (sys.executable, "5101", "6100", f"{tmp_path}/x", "2")
    assert launch.url == "http://127.0.0.1:5101"


def test_every_process_is_told_where_the_others_are_and_where_data_lies(tmp_path):
    stack = stack_of(tmp_path, web=process(5000), **{"big-db": process(6000)})
    environment = stack.launch("web", 1).environment
    assert environment["WATCHKEEPER_BIG_DB_URL"] == "http://127.0.0.1:6000"
    assert environment["WATCHKEEPER_DATA_DIR"] == str(tmp_path)


def test_a_process_own_environment_comes_before_the_stack_s(tmp_path):
    web = process(5000, environment={"A": "own {port}"})
    stack = Stack({"web": web}, Place(tmp_path), {"A": "shared", "B": "{port:web}"})
    environment = stack.launch("web", 1).environment
    assert (environment["A"], environment["B"]) == ("own 5000", "5000")


@pytest.mark.parametrize("text", ["{colour}", "{port:nobody}", "{config:nothing.yml}"])
def test_a_placeholder_that_stands_for_nothing_is_named(tmp_path, text):
    stack = stack_of(tmp_path, web=process(5000, command=["x", text]))
    with pytest.raises(
        ConfigError, match=f"processes.web.command: \\{text[:-1]}.* stands for nothing"
    ):
        stack.launch("web", 1)


def test_a_config_placeholder_is_the_file_in_force(tmp_path):
    (tmp_path / "agent.yml").write_text("")
    web = process(5000, command=["{config:agent.yml}", "{config:console.yml}"])
    stack = Stack({"web": web}, Place(tmp_path, config_dir=tmp_path))
    own, shipped = stack.launch("web", 1).argv
    assert own == str(tmp_path / "agent.yml")
    assert shipped.endswith("dashboards/console/console.yml")


def test_processes_come_after_those_they_wait_for(tmp_path):
    stack = stack_of(
        tmp_path,
        web=process(5000, after=["db", "cache"]),
        cache=process(5001, after=["db"]),
        db=process(5002),
    )
    assert list(stack.processes) == ["db", "cache", "web"]


def test_waiting_for_an_unknown_process_is_a_problem(tmp_path):
    with pytest.raises(ConfigError, match=r"processes\.web\.after: there is no process 'db'"):
        stack_of(tmp_path, web=process(5000, after=["db"]))


def test_waiting_in_a_circle_is_a_problem(tmp_path):
    with pytest.raises(ConfigError, match="wait for each other"):
        stack_of(tmp_path, a=process(5000, after=["b"]), b=process(5001, after=["a"]))


def test_two_processes_on_one_port_are_a_problem_also_by_their_instances(tmp_path):
    with pytest.raises(ConfigError, match="port 5002 is also that of a"):
        stack_of(tmp_path, a=process(5000, maximum_instances=3), b=process(5002))


def test_more_instances_than_the_maximum_are_a_problem():
    with pytest.raises(ValueError, match="more than maximum_instances"):
        process(5000, instances=3, maximum_instances=2)


def write_stack(directory, **processes):
    (directory / "stack.yml").write_text(yaml.safe_dump({"processes": processes}))
    return Place(directory / "var", config_dir=directory)


def test_a_stack_of_your_own_is_laid_over_the_shipped_one(tmp_path):
    mine = {"command": ["true"], "port": 5000, "after": ["prometheus"]}
    stack = read(write_stack(tmp_path, shop=mine, console=None))
    assert "shop" in stack.processes
    assert "console" not in stack.processes
    assert "alerting" in stack.processes


def test_processes_do_not_wait_for_one_that_was_left_out(tmp_path):
    stack = read(Place(tmp_path), without=frozenset({"prometheus"}))
    assert "prometheus" not in stack.processes
    assert stack.processes["alerting"].after == ()


def test_a_wrong_key_is_named_with_file_and_line(tmp_path):
    place = write_stack(tmp_path, shop={"command": ["true"], "port": 5000, "prot": 1})
    with pytest.raises(ConfigError, match=r"stack.yml:\d+: processes.shop.prot: unknown key"):
        read(place)
