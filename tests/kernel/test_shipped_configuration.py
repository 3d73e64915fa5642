"""Whatever a person writes in place of any value of a file we ship, the answer is a clear one."""

import copy
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchkeeper.check import FILES, config_file, model_of
from watchkeeper.configuration import load
from watchkeeper.errors import ConfigError
from watchkeeper.supervisor import secrets

EXAMPLE = Path(__file__).parents[2] / "examples" / "taskboard" / "config"

ODD_SCALARS = st.sampled_from(
    [
        None,
        True,
        -1,
        10**400,
        float("nan"),
        float("inf"),
        float("-inf"),
        1e308,
        "",
        "\n",
        "9" * 400 + "w",
        "99999999999999999999w",
        "http://[::1",
        "http://x:99999999/",
        "(",
        "{{x",
        "${NOWHERE}",
        "../../../etc/passwd",
        b"bytes",
    ]
) | st.text(max_size=5)
ODD = (
    ODD_SCALARS
    | st.lists(ODD_SCALARS, max_size=2)
    | st.dictionaries(
        st.sampled_from(["name", "kind", "1"]) | st.integers(), ODD_SCALARS, max_size=2
    )
    | st.just([[]])
    | st.just([{"name": "host"}])
)


@cache
def shipped(file):
    return yaml.safe_load(file.read_text(encoding="utf-8")) or {}


def places(node, path=()):
    """Yield the path to every value, however deep, of lists and mappings too."""
    entries = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in entries:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def with_value(document, path, value):
    document = copy.deepcopy(document)
    node = document
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    return document


def refusal_of(file, model, environment):
    """Return what was refused, or None; any error that is not a ConfigError fails the test."""
    try:
        load(file, model, environment)
    except ConfigError as error:
        return error
    return None


@pytest.fixture
def environment(tmp_path):
    secrets.ensure(tmp_path)
    return {"WATCHKEEPER_DATA_DIR": str(tmp_path)}


@pytest.mark.parametrize("name", FILES)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_odd_value_anywhere_is_taken_or_refused_at_its_file(name, environment, tmp_path, data):
    example = EXAMPLE / name
    files = [config_file(name, None), *([example] if example.exists() else [])]
    file = data.draw(st.sampled_from(files))
    document = shipped(file)
    path = data.draw(st.sampled_from(list(places(document)) or [("extra",)]))
    edited = tmp_path / name
    edited.write_text(yaml.safe_dump(with_value(document, path, data.draw(ODD))), encoding="utf-8")
    refusal = refusal_of(edited, model_of(name), environment)
    assert refusal is None or all(
        problem.file == str(edited)
        and problem.line >= 1
        and "cannot be checked" not in str(problem)
        for problem in refusal.problems
    )


def test_a_preset_written_as_a_mapping_is_refused_with_its_line(tmp_path):
    edited = tmp_path / "anomaly.yml"
    edited.write_text("presets:\n- name: host\n", encoding="utf-8")
    refusal = refusal_of(edited, model_of("anomaly.yml"), {})
    assert [(one.line, one.key, one.message) for one in refusal.problems][:1] == [
        (2, "presets[0]", "expected a text")
    ]
