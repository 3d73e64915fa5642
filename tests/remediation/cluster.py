"""An API server for the few calls we make, which takes only what Kubernetes' own would.

It knows Deployments and Nodes by Kubernetes' API v1 (apps/v1), asks for a bearer token, takes a
strategic merge patch and nothing else, counts generations, and carries a rollout out a step at a
time, one for each time it is looked at.
"""

import copy
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml

TOKEN = "a-service-account's-token"
DEPLOYMENT = re.compile(r"/apis/apps/v1/namespaces/([a-z0-9-]+)/deployments/([a-z0-9-]+)")
NODE = re.compile(r"/api/v1/nodes/([a-z0-9-]+)")


class Cluster:
    def __init__(self):
        self.deployments = {}
        self.nodes = {}
        self.never_ready = False
        self.patches = []
        self.refuses_with = None
        self.loses_answers = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.cluster = self
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def add_deployment(self, name, replicas):
        status = {"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas,
                  "readyReplicas": replicas, "availableReplicas": replicas}  # fmt: skip
        self.deployments["shop", name] = {
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": "shop", "generation": 1},
            "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": name, "image": name}]},
                },
            },
            "status": status,
        }  # fmt: skip

    def add_node(self, name, *, is_ready=True):
        condition = {"type": "Ready", "status": "True" if is_ready else "Unknown"}
        self.nodes[name] = {
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": name},
            "spec": {}, "status": {"conditions": [condition]},
        }  # fmt: skip

    def is_closed(self, name):
        return bool(self.nodes[name]["spec"].get("unschedulable"))

    def kubeconfig(self, directory, token=TOKEN):
        path = directory / "kubeconfig"
        path.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.url}}],
            "users": [{"name": "endpoint", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "endpoint"}}],
        }))  # fmt: skip
        return path

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def find(self, path):
        if found := DEPLOYMENT.fullmatch(path):
            return self.deployments.get((found[1], found[2]))
        if found := NODE.fullmatch(path):
            return self.nodes.get(found[1])
        return None

    def step(self, deployment):
        """Let the controller of a Deployment do one thing: see a change, or finish it."""
        status, generation = deployment["status"], deployment["metadata"]["generation"]
        if status["observedGeneration"] < generation:
            status["observedGeneration"], status["updatedReplicas"] = generation, 0
        elif not self.never_ready:
            wanted = deployment["spec"]["replicas"]
            status.update(replicas=wanted, updatedReplicas=wanted, availableReplicas=wanted)


def merged(old, new):
    """Return a merge as RFC 7396 says; the fields we change have no strategy of their own."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    kept = {key: value for key, value in old.items() if key not in new}
    return kept | {k: merged(old.get(k, {}), v) for k, v in new.items() if v is not None}


class Handler(BaseHTTPRequestHandler):
    @property
    def cluster(self):
        return self.server.cluster

    def do_GET(self):
        if not self._is_admitted():
            return
        if self.path == "/api/v1/nodes":
            items = list(self.cluster.nodes.values())
            self._answer(200, {"kind": "NodeList", "apiVersion": "v1", "items": items})
            return
        found = self.cluster.find(self.path)
        if found is None:
            self._status(404, "NotFound")
            return
        self._answer(200, found)
        if found["kind"] == "Deployment":
            self.cluster.step(found)

    def do_PATCH(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._is_admitted():
            return
        if self.headers["Content-Type"] != "application/strategic-merge-patch+json":
            self._status(415, "UnsupportedMediaType")
            return
        found = self.cluster.find(self.path)
        if found is None:
            self._status(404, "NotFound")
            return
        if self.cluster.refuses_with:
            self._status(*self.cluster.refuses_with)
            return
        change = json.loads(body)
        self.cluster.patches.append(change)
        before = copy.deepcopy(found["spec"])
        found["spec"] = merged(found["spec"], change["spec"])
        if "generation" in found["metadata"] and found["spec"] != before:
            found["metadata"]["generation"] += 1
        if self.cluster.loses_answers:
            self.close_connection = True
            return
        self._answer(200, found)

    def _is_admitted(self):
        if self.headers["Authorization"] == f"Bearer {TOKEN}":
            return True
        self._status(401, "Unauthorized")
        return False

    def _status(self, code, reason):
        told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason}
        self._answer(code, {**told, "code": code})

    def _answer(self, code, body):
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass
