import stat

import pytest

from tests.supervisor.stacks import server
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.supervisor.client import SupervisorClient
from watchkeeper.supervisor.run_directory import socket_of


@pytest.fixture
def stack(supervise):
    return supervise(web=server()).wait_all_ready()


def test_every_instance_is_listed(stack):
    (status,) = stack.client.processes()
    assert status == stack.one("web")


def test_only_this_user_may_open_the_socket(stack):
    assert stat.S_IMODE(socket_of(stack.data_dir).stat().st_mode) == 0o600


def test_an_unknown_process_is_refused_naming_those_there_are(stack):
    with pytest.raises(UpstreamError, match="no process 'wbe'; there are web") as refused:
        stack.client.restart("wbe")
    assert refused.value.reason is Reason.REFUSED


def test_an_instance_that_is_not_there_is_refused(stack):
    with pytest.raises(UpstreamError, match=r"web has 1 instance\(s\); there is no 2"):
        stack.client.restart("web", 2)


def test_an_unknown_signal_is_refused(stack):
    with pytest.raises(UpstreamError, match="expected a name such as KILL"):
        stack.client.kill("web", signal="BANANA")


@pytest.mark.parametrize("count", ["3", None, True, 1.5])
def test_a_count_that_is_no_whole_number_is_refused(stack, count):
    with pytest.raises(UpstreamError, match="instances: expected a whole number"):
        stack.client.scale("web", count)


def test_a_client_may_be_made_before_the_supervisor_runs(tmp_path):
    client = SupervisorClient(tmp_path)
    with pytest.raises(UpstreamError, match="watchkeeper up"):
        client.processes()
