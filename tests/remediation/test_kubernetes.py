"""Deployments and nodes, through the official client, on an API server of the test's own."""

import pytest

from remediation.actuators.cordon_node import CordonNode
from remediation.actuators.restart_service import RestartService
from remediation.actuators.scale_out import ScaleOut
from remediation.deed import OutcomeUnknown
from remediation.refusal import CallRefused
from remediation.runtimes import deployment
from remediation.targets.service import NodeTarget, RestartTarget, ScaleTarget
from tests.remediation.cluster import Cluster
from watchkeeper.errors import NeverSent, Reason, Refused, UpstreamError


@pytest.fixture(autouse=True)
def _look_again_soon(monkeypatch):
    monkeypatch.setattr(deployment, "LOOK_AGAIN_SECONDS", 0.01)


@pytest.fixture
def cluster():
    cluster = Cluster()
    cluster.add_deployment("api", replicas=3)
    yield cluster
    cluster.stop()


@pytest.fixture
def address(cluster, tmp_path):
    return {"kubeconfig": str(cluster.kubeconfig(tmp_path))}


def restart(address, name="api", **changes):
    at = {**address, "namespace": "shop", "deployment": name}
    return RestartService("api", RestartTarget.model_validate({"kubernetes": at, **changes}), {})


def scale(address, maximum=5, **parameters):
    at = {**address, "namespace": "shop", "deployment": "api"}
    allowed = ScaleTarget.model_validate({"kubernetes": at, "maximum": maximum})
    return ScaleOut("api", allowed, parameters)


def add_nodes(cluster):
    cluster.add_node("node-1")
    cluster.add_node("node-2")


def cordon(address, node="node-1", **parameters):
    allowed = NodeTarget.model_validate({"kubernetes": address, "node": node})
    return CordonNode("node-1", allowed, parameters)


def test_a_rollout_restart_is_waited_for(cluster, address):
    done = restart(address).perform()
    assert done.summary == "restarted shop/api"
    status = cluster.deployments["shop", "api"]["status"]
    assert (status["observedGeneration"], status["availableReplicas"]) == (2, 3)


def test_a_rollout_that_does_not_get_ready_is_a_failure_with_its_numbers(cluster, address):
    cluster.never_ready = True
    with pytest.raises(UpstreamError, match="3 of 3 available, 0 up to date"):
        restart(address, time_limit="2s").perform()


def test_a_preview_changes_nothing(cluster, address):
    assert "3 of 3 available" in restart(address).preview().summary
    assert scale(address).preview().detail == {"before": 3, "wanted": 4}
    assert cluster.patches == []


def test_replicas_are_added_up_to_the_maximum_and_then_no_more(cluster, address):
    assert scale(address, by=9).perform().detail == {"before": 3, "after": 5}
    with pytest.raises(UpstreamError, match="the most allowed is 5"):
        scale(address).perform()
    assert cluster.patches == [{"spec": {"replicas": 5}}]


def test_a_deployment_that_is_not_there_is_a_failure(address):
    with pytest.raises(UpstreamError, match="404"):
        restart(address, "other").perform()


def test_a_token_that_is_not_admitted_is_told_as_that(cluster, tmp_path):
    wrong = {"kubeconfig": str(cluster.kubeconfig(tmp_path, token="another"))}
    with pytest.raises(UpstreamError, match="401") as refused:
        scale(wrong).perform()
    assert refused.value.reason is Reason.AUTHENTICATION


def test_a_cluster_that_is_away_was_never_asked(cluster, address):
    cluster.stop()
    with pytest.raises(NeverSent):
        scale(address).perform()


@pytest.mark.parametrize(
    "refusal", [(409, "Conflict"), (429, "TooManyRequests"), (503, "ServiceUnavailable")]
)
@pytest.mark.parametrize("make", [restart, scale, cordon])
def test_a_change_the_cluster_refuses_was_not_made(cluster, address, make, refusal):
    add_nodes(cluster)
    cluster.refuses_with = refusal
    with pytest.raises(UpstreamError, match=f"the cluster answered {refusal[0]}") as failure:
        make(address).perform()
    assert not isinstance(failure.value, OutcomeUnknown)
    assert cluster.patches == []


@pytest.mark.parametrize("make", [restart, scale, cordon])
def test_a_change_whose_answer_is_lost_may_have_been_made(cluster, address, make):
    add_nodes(cluster)
    cluster.loses_answers = True
    with pytest.raises(OutcomeUnknown, match="whether it was done is not known"):
        make(address).perform()
    assert len(cluster.patches) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_change_the_cluster_did_not_see_the_end_of_may_have_been_made(cluster, address, status):
    cluster.refuses_with = (status, "InternalError")
    with pytest.raises(OutcomeUnknown, match=f"answered {status}"):
        restart(address).perform()


def test_an_outcome_nobody_knows_is_not_told_as_a_failure(cluster, address, endpoint):
    at = {**address, "namespace": "shop", "deployment": "api"}
    service = endpoint(restart_service={"api": {"kubernetes": at}})
    cluster.loses_answers = True
    entry = service.finished(service.call(action="restart-service", target="api"))
    assert entry["state"] == "interrupted"
    assert "whether it was done is not known" in entry["error"]


def test_without_an_address_the_reason_is_told(tmp_path):
    with pytest.raises(Refused, match="address cannot be used"):
        scale({"kubeconfig": str(tmp_path / "none")}).perform()


def test_a_node_is_closed_and_opened_again(cluster, address):
    cluster.add_node("node-1")
    cluster.add_node("node-2")
    state = cordon(address).state(None)
    assert cordon(address).perform().detail == {"open_others": 1}
    assert cluster.is_closed("node-1")
    assert cordon(address).revert(state).summary == "opened node node-1 again"
    assert not cluster.is_closed("node-1")


def test_a_node_somebody_had_closed_before_stays_closed(cluster, address):
    cluster.add_node("node-1")
    cluster.add_node("node-2")
    cluster.nodes["node-1"]["spec"]["unschedulable"] = True
    state = cordon(address).state(None)
    cordon(address).perform()
    cordon(address).revert(state)
    assert cluster.is_closed("node-1")


def test_the_last_open_node_is_never_closed(cluster, address):
    cluster.add_node("node-1")
    cluster.add_node("node-2", is_ready=False)
    with pytest.raises(Refused, match=r"only 0 other node\(s\)"):
        cordon(address).perform()
    assert not cluster.is_closed("node-1")


def test_a_call_may_ask_for_less_time_and_not_for_more(address):
    assert cordon(address, seconds=60).lasts_seconds == 60
    with pytest.raises(CallRefused, match="at most 900"):
        cordon(address, seconds=86_400)
