import pytest

from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.configuration import Settings
from watchkeeper.errors import ConfigError
from watchkeeper.reloading import follow
from watchkeeper.serving import Service


class Shop(Settings):
    open: bool = True


@pytest.fixture
def service():
    return Service("shop", import_name=__name__)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "shop.yml"
    path.write_text("open: true\n")
    return path


def scrape(service):
    return service.app.test_client().get("/metrics").get_data(as_text=True)


def holds(name, value):
    return f'{name}{{file="shop.yml"}} {value}'


def test_an_edit_is_in_force_with_the_next_request(service, path):
    file = follow(service, path, Shop)
    assert file.current.open
    path.write_text("open: false\n")
    assert holds(own.CONFIG_RELOAD_OK, 1.0) in scrape(service)
    assert not file.current.open


def test_an_edit_that_cannot_be_used_shows_and_changes_nothing(service, path):
    file = follow(service, path, Shop)
    path.write_text("open: perhaps\n")
    assert holds(own.CONFIG_RELOAD_OK, 0.0) in scrape(service)
    assert file.current.open


def test_a_mended_file_shows_as_good_again(service, path):
    file = follow(service, path, Shop)
    path.write_text("shut: true\n")
    scrape(service)
    path.write_text("open: false\n")
    assert holds(own.CONFIG_RELOAD_OK, 1.0) in scrape(service)
    assert not file.current.open


def test_a_file_that_cannot_be_used_at_all_is_an_error_at_the_start(service, path):
    path.write_text("open: perhaps\n")
    with pytest.raises(ConfigError, match=r"shop\.yml:1: open:"):
        follow(service, path, Shop)
