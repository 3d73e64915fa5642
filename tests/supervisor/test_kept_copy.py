"""Shipped files are brought up to date; what a person wrote beside or into them stays."""

import pytest

from watchkeeper.supervisor.kept_copy import bring_up_to_date


class Copy:
    def __init__(self, directory):
        self.source, self.copy = directory / "source", directory / "copy"
        (self.source / "rules" / "alerts").mkdir(parents=True)
        self.copy.mkdir()

    def ship(self, name, text):
        (self.source / "rules" / name).write_text(text)
        return self.up_to_date()

    def up_to_date(self):
        return bring_up_to_date(self.source, self.copy, ["rules", "not-there.yml"])

    def read(self, name):
        return (self.copy / "rules" / name).read_text()


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def test_a_new_release_takes_the_place_of_the_old_one(copy):
    copy.ship("host.yml", "old")
    assert copy.ship("host.yml", "new") == []
    assert copy.read("host.yml") == "new"


def test_directories_within_are_copied_too(copy):
    copy.ship("alerts/host.yml", "deep")
    assert copy.read("alerts/host.yml") == "deep"


def test_what_a_release_no_longer_ships_goes(copy):
    copy.ship("old.yml", "old")
    (copy.source / "rules" / "old.yml").unlink()
    copy.up_to_date()
    assert not (copy.copy / "rules" / "old.yml").exists()


def test_a_file_of_the_user_stays(copy):
    copy.ship("host.yml", "ours")
    (copy.copy / "rules" / "mine.yml").write_text("mine")
    assert copy.up_to_date() == []
    assert copy.read("mine.yml") == "mine"


def test_a_file_the_user_corrected_stays_and_is_named_each_time(copy):
    copy.ship("host.yml", "ours")
    (copy.copy / "rules" / "host.yml").write_text("corrected")
    for release in ("ours", "newer"):
        assert copy.ship("host.yml", release) == ["rules/host.yml"]
        assert copy.read("host.yml") == "corrected"


def test_a_corrected_file_that_is_deleted_is_ours_again(copy):
    copy.ship("host.yml", "ours")
    (copy.copy / "rules" / "host.yml").write_text("corrected")
    copy.up_to_date()
    (copy.copy / "rules" / "host.yml").unlink()
    assert copy.up_to_date() == []
    assert copy.read("host.yml") == "ours"


def test_a_corrected_file_that_is_no_longer_shipped_stays(copy):
    copy.ship("host.yml", "ours")
    (copy.copy / "rules" / "host.yml").write_text("corrected")
    (copy.source / "rules" / "host.yml").unlink()
    assert copy.up_to_date() == []
    assert copy.read("host.yml") == "corrected"


def test_a_copy_without_a_record_takes_what_is_shipped(copy):
    (copy.copy / "rules").mkdir()
    (copy.copy / "rules" / "host.yml").write_text("of a release that kept no record")
    copy.ship("host.yml", "ours")
    assert copy.read("host.yml") == "ours"
