"""What a service runs on can be read over HTTP, and no secret with it."""

import pytest

from watchkeeper.configuration import Secret, Settings
from watchkeeper.in_force import PATH
from watchkeeper.reloading import follow
from watchkeeper.serving import Service


class Shop(Settings):
    upstream: str
    password: Secret


@pytest.fixture
def told(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    path = tmp_path / "shop.yml"
    path.write_text(
        "upstream: https://ada:hunter2@shop.example/x\npassword: {env: SHOP_PASSWORD}\n"
    )
    service = Service("shop", import_name=__name__)
    follow(service, path, Shop)
    return lambda: service.app.test_client().get(PATH), path


def test_the_settings_in_force_are_told_under_their_own_keys_without_a_secret(told):
    ask, _ = told
    answer = ask()
    [file] = answer.json["files"]
    assert (file["file"], file["problem"]) == ("shop.yml", None)
    assert file["settings"]["upstream"] == "https://***@shop.example/x"
    assert file["settings"]["password"]["env"] == "SHOP_PASSWORD"
    assert "hunter2" not in answer.text


def test_a_bad_edit_is_told_beside_what_stays_in_force(told):
    ask, path = told
    path.write_text("upstream: 5\nnonsense: true\n")
    [file] = ask().json["files"]
    assert "nonsense" in file["problem"]
    assert file["settings"]["upstream"] == "https://***@shop.example/x"
