import socket
import stat

import pytest

from tests.supervisor.stacks import server
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.supervisor import control
from watchkeeper.supervisor.client import SupervisorClient
from watchkeeper.supervisor.discovery import Discovery
from watchkeeper.supervisor.operations import Operations
from watchkeeper.supervisor.run_directory import socket_of
from watchkeeper.supervisor.settings import ProcessSettings
from watchkeeper.supervisor.stack import Place, Stack
from watchkeeper.supervisor.supervisor import Supervisor


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


@pytest.fixture
def application(tmp_path):
    """The control socket's application over a supervisor that was never started."""
    declared = ProcessSettings(**server(instances=2, maximum_instances=2))
    stack = Stack({"web": declared}, Place(tmp_path))
    supervisor = Supervisor(stack, Discovery(tmp_path, tmp_path / "prometheus", stack))
    return control.make_service(Operations(supervisor)).app.test_client()


@pytest.mark.parametrize("body", ["xx", '{"instance": 2', "[2]", '"2"', "null", "[" * 5000])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize("request_path", ["restart", "kill", "scale"])
def test_a_body_that_is_no_object_is_refused_whatever_it_is_called(
    application, body, kind, request_path
):
    answer = application.post(f"/processes/web/{request_path}", data=body, content_type=kind)
    assert answer.status_code == 409
    assert "expected a JSON object" in answer.json["error"]["message"]


def test_an_instance_counts_whatever_the_content_type_is(application):
    answer = application.post("/processes/web/scale", data='{"instances": "9"}')
    assert "instances: expected a whole number" in answer.json["error"]["message"]


def test_a_request_of_no_reasonable_size_is_not_taken(stack):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(socket_of(stack.data_dir)))
    with connection:
        connection.sendall(
            b"POST /processes/web/restart HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 1000000000\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
