import pytest

from remediation.settings import EndpointSettings
from tests.remediation.calls import SECRET
from watchkeeper.check import SHIPPED, config_file
from watchkeeper.configuration import load
from watchkeeper.errors import ConfigError
from watchkeeper.supervisor.stack import DEMO_CONFIG_DIR

REDIS = "redis: {host: 127.0.0.1}"


def problems(tmp_path, text, key=SECRET):
    (tmp_path / "key").write_text(key)
    path = tmp_path / "endpoint.yml"
    path.write_text(f"signing_secret: {{file: {tmp_path / 'key'}}}\n{text}\n")
    try:
        load(path, EndpointSettings)
    except ConfigError as error:
        return str(error)
    return ""


def test_the_shipped_files_are_good(data_dir):
    (data_dir / "secrets").mkdir()
    (data_dir / "secrets" / "remediation-webhook").write_text(SECRET)
    for directory in (None, DEMO_CONFIG_DIR):
        settings = load(config_file("endpoint.yml", directory), EndpointSettings)
        assert settings.secrets() == (SECRET,)
    assert "endpoint.yml" in SHIPPED


def test_the_shipped_default_allows_nothing(data_dir):
    (data_dir / "secrets").mkdir()
    (data_dir / "secrets" / "remediation-webhook").write_text(SECRET)
    actions = load(config_file("endpoint.yml", None), EndpointSettings).actions
    assert not any(actions.model_dump().values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("actions: {reboot: {}}", "endpoint.yml:2: actions.reboot: unknown key"),
        ("actions: {scale-out: {web: {}}}", "scale-out.web.maximum: missing"),
        (
            "actions:\n  clear-cache:\n    shop: {redis: {}, pattern: '*'}",
            "4: .*shop.pattern: .*prefix",
        ),
        ("tolerance: ages", "2: tolerance: expected a duration"),
        ("tolerance: 1h", "2: tolerance: .*less than or equal to 900"),
    ],
)
def test_what_is_wrong_is_named_with_line_and_key(tmp_path, text, expected):
    import re

    assert re.search(expected, problems(tmp_path, text))


@pytest.mark.parametrize("pattern", ["*", "?hop:*", "[s]hop:*", ""])
def test_a_pattern_that_could_match_more_than_a_cache_is_refused(tmp_path, pattern):
    text = f"actions: {{clear-cache: {{shop: {{redis: {{}}, pattern: '{pattern}'}}}}}}"
    assert "expected a pattern that begins with the cache's own prefix" in problems(tmp_path, text)


@pytest.mark.parametrize("key", ["short", "whsec_AAAA", "whsec_!!!", SECRET.removeprefix("whsec_")])
def test_a_key_that_is_none_is_refused_without_showing_it(tmp_path, key):
    told = problems(tmp_path, "", key=key)
    assert "1: signing_secret: expected whsec_ and the base64 of 24 to 64 bytes" in told
    assert key not in told.replace("whsec_ and", "")


def test_a_secret_written_in_the_file_is_refused(tmp_path):
    path = tmp_path / "endpoint.yml"
    path.write_text(f"signing_secret: {SECRET}\n")
    with pytest.raises(ConfigError, match="a secret is not written in the file"):
        load(path, EndpointSettings)
