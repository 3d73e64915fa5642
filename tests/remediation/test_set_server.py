"""Servers behind a real HAProxy: taken out, brought back, and kept out across a reload."""

import shutil
import signal
import subprocess

import pytest

from remediation.actuators.set_server import SetServer
from remediation.deed import OutcomeUnknown
from remediation.haproxy import RuntimeSocket
from remediation.refusal import CallRefused
from remediation.targets.haproxy import BalancedTarget
from tests.ports import free_ports
from tests.waiting import wait_until
from watchkeeper.errors import NeverSent, Refused, UpstreamError

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed"),
]

CONFIGURATION = """
global
    stats socket {socket} mode 600 level admin
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend front
    bind 127.0.0.1:{port}
    default_backend shop
backend shop
    server web1 127.0.0.1:1 weight 10
    server web2 127.0.0.1:1 weight 10
"""


class Proxy:
    def __init__(self, directory):
        self.socket = directory / "admin.sock"
        self._file = directory / "haproxy.cfg"
        self._file.write_text(CONFIGURATION.format(socket=self.socket, port=free_ports(1)))
        self._processes = []
        self.start()

    def start(self, *arguments):
        command = ["haproxy", "-db", "-f", str(self._file), *arguments]
        self._processes.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        pid = self._processes[-1].pid
        wait_until(lambda: self._answers(pid), what="HAProxy answers")

    def reload(self):
        old = self._processes[-1]
        self.start("-sf", str(old.pid))
        old.wait(60)

    def freeze(self):
        self._processes[-1].send_signal(signal.SIGSTOP)

    def thaw(self):
        self._processes[-1].send_signal(signal.SIGCONT)

    def stop(self):
        for process in self._processes:
            process.terminate()
            process.wait(60)

    def _answers(self, pid):
        try:
            return RuntimeSocket(self.socket, timeout_seconds=2).process_id() == pid
        except UpstreamError:
            return False

    def __getitem__(self, name):
        found = RuntimeSocket(self.socket, timeout_seconds=2).servers("shop")[name]
        return found.state, found.weight

    def change(self, state, weight):
        RuntimeSocket(self.socket, timeout_seconds=2).set(
            "shop", "web1", state=state, weight=weight
        )


@pytest.fixture
def proxy(tmp_path):
    proxy = Proxy(tmp_path)
    yield proxy
    proxy.stop()


def target(proxy, **changes):
    return {"socket": str(proxy.socket), "backend": "shop", "server": "web1", **changes}


def actuator(proxy, changes=None, **parameters):
    allowed = BalancedTarget.model_validate(target(proxy, **(changes or {})))
    return SetServer("web1", allowed, parameters)


@pytest.mark.parametrize("state", ["drain", "maint"])
def test_a_server_is_taken_out_and_brought_back(proxy, state):
    acting = actuator(proxy, state=state)
    kept = acting.state(None)
    done = acting.perform()
    assert done.summary == f"set web1 from ready with weight 10 to {state} with weight 10"
    assert proxy["web1"] == (state, 10)
    assert acting.revert(kept).summary == "set web1 back to ready with weight 10"
    assert proxy["web1"] == ("ready", 10)


def test_a_weight_is_set_and_the_state_stays(proxy):
    acting = actuator(proxy, weight=3)
    acting.perform()
    assert proxy["web1"] == ("ready", 3)


def test_the_last_server_that_takes_traffic_is_never_taken_out(proxy):
    other = {"server": "web2"}
    actuator(proxy, other, state="drain").perform()
    for parameters in ({"state": "maint"}, {"state": "drain"}, {"weight": 0}):
        with pytest.raises(Refused, match=r"0 other server\(s\) of shop take traffic; 1 must"):
            actuator(proxy, **parameters).perform()
    assert proxy["web1"] == ("ready", 10)


def test_what_somebody_else_set_meanwhile_is_left_alone(proxy):
    acting = actuator(proxy, state="drain")
    kept = acting.state(None)
    acting.perform()
    proxy.change("maint", 10)
    assert acting.hold(kept) is None
    assert acting.revert(kept).summary == "left web1 as it is: maint with weight 10"


def test_repeating_it_keeps_what_was_before_the_first_time(proxy):
    first = actuator(proxy, state="drain")
    kept = first.state(None)
    first.perform()
    second = actuator(proxy, weight=0)
    kept = second.state(kept)
    second.perform()
    assert proxy["web1"] == ("drain", 0)
    second.revert(kept)
    assert proxy["web1"] == ("ready", 10)


def test_a_preview_changes_nothing(proxy):
    told = actuator(proxy, state="maint").preview().summary
    assert told == "would set web1 from ready with weight 10 to maint with weight 10"
    assert proxy["web1"] == ("ready", 10)


def test_a_proxy_that_is_gone_when_it_is_to_be_set_was_never_asked(proxy):
    acting = actuator(proxy, state="drain")
    with pytest.raises(NeverSent, match="socket"):
        acting.perform(lambda _sentence: proxy.stop())


def test_a_proxy_that_stops_answering_may_have_been_set(proxy):
    acting = actuator(proxy, state="drain")

    def freeze(_sentence):
        proxy.freeze()
        acting._proxy._timeout_seconds = 0.1

    with pytest.raises(OutcomeUnknown, match="whether it was done is not known"):
        acting.perform(freeze)
    proxy.thaw()


def test_what_a_reload_forgot_is_set_again_until_its_time_is_over(proxy, endpoint):
    shop = endpoint(set_server={"web1": target(proxy)})
    asked = {"action": "set-server", "target": "web1", "parameters": {"state": "drain"}}
    assert shop.finished(shop.call(**asked))["state"] == "succeeded"
    proxy.reload()
    wait_until(lambda: proxy["web1"] == ("drain", 10), what="it was set again")
    assert shop.finished(shop.call(**asked, revert=True))["state"] == "succeeded"
    assert proxy["web1"] == ("ready", 10)


@pytest.mark.parametrize(
    "changes", [{"server": "web9"}, {"backend": "nowhere"}, {"socket": "/nonexistent"}]
)
def test_what_is_not_there_is_named(proxy, changes):
    (named,) = changes.values()
    with pytest.raises(UpstreamError, match=f"HAProxy.*{named}"):
        actuator(proxy, changes, state="drain").perform()


@pytest.mark.parametrize(
    "parameters",
    [{}, {"state": "off"}, {"weight": 257}, {"weight": True}, {"state": "drain", "seconds": 901},
     {"state": "drain", "why": 1}, {"state": "drain", "seconds": 0}],
)  # fmt: skip
def test_a_call_that_asks_for_something_else_is_refused(proxy, parameters):
    with pytest.raises(CallRefused, match="parameters"):
        actuator(proxy, **parameters)
