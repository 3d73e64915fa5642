import pytest

from watchkeeper.errors import Refused, UpstreamError
from watchkeeper.supervisor import run_directory


def test_a_data_directory_is_held_by_one_supervisor(tmp_path):
    second = run_directory.claimed(tmp_path)
    with run_directory.claimed(tmp_path), pytest.raises(Refused) as refused:
        second.__enter__()
    refused.match(r"already running .*pid \d+")


def test_it_is_free_again_afterwards(tmp_path):
    for _ in range(2):
        with run_directory.claimed(tmp_path):
            assert (tmp_path / "run" / "supervisor.json").exists()
    assert not (tmp_path / "run" / "supervisor.json").exists()


def test_the_socket_lies_in_the_data_directory(tmp_path):
    with run_directory.claimed(tmp_path / "d") as socket_path:
        assert run_directory.socket_of(tmp_path / "d") == socket_path
        assert len(str(tmp_path)) > 90 or socket_path.parent == tmp_path / "d" / "run"


def test_a_path_too_long_for_a_socket_gives_a_short_one_that_is_recorded(tmp_path):
    deep = tmp_path / ("x" * 120)
    with run_directory.claimed(deep) as socket_path:
        assert len(str(socket_path)) <= run_directory.SOCKET_PATH_BYTES
        assert run_directory.socket_of(deep) == socket_path
        assert socket_path.parent.stat().st_mode & 0o077 == 0
    assert not socket_path.parent.exists()


def test_asking_where_nothing_runs_says_so(tmp_path):
    with pytest.raises(UpstreamError, match="no supervisor runs on"):
        run_directory.socket_of(tmp_path)
