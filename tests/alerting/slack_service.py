"""Slack's Web API on loopback, as strict as the real one."""

from __future__ import annotations

import itertools
import json
from urllib.parse import parse_qs

from tests.alerting.loopback import LoopbackServer, Reply, as_json


class SlackService(LoopbackServer):
    """Answers as Slack's Web API does, and refuses what it would refuse.

    A message can be updated, and a thread continued, while it is in ``messages`` and the workspace
    allows it. A file is announced with its length, uploaded without a token to the address given
    for it, and shown where it is said to belong; each once, and in this order.
    """

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.error = ""
        self.fails = ""
        self.messages = {}
        self._numbers = itertools.count(1)
        self.unalterable = {}
        self.locked = {}
        self.announced = {}
        self.uploaded = {}
        self.shown = []

    def _answer(self, request):
        if request.path.startswith("/upload/"):
            return self._upload(request)
        method = request.path.rpartition("/")[2]
        if request.headers.get("authorization") != "Bearer xoxb-1":
            return as_json({"ok": False, "error": "invalid_auth"})
        if self.error or self.fails == method:
            return as_json({"ok": False, "error": self.error or "missing_scope"})
        if method.startswith("files."):
            return as_json(self._of_files(method, request))
        return as_json(self._of_chat(method, request.json))

    def _of_chat(self, method, content):
        if method == "chat.update":
            ts = content["ts"]
            if ts not in self.messages or ts in self.unalterable:
                return {"ok": False, "error": self.unalterable.get(ts, "message_not_found")}
        else:
            parent = content.get("thread_ts")
            if parent and (parent not in self.messages or parent in self.locked):
                return {"ok": False, "error": self.locked.get(parent, "thread_not_found")}
            ts = f"17.{next(self._numbers)}"
        self.messages[ts] = {**self.messages.get(ts, {}), **content}
        return {"ok": True, "ts": ts, "channel": content["channel"]}

    def _of_files(self, method, request):
        if not request.headers["content-type"].startswith("application/x-www-form-urlencoded"):
            return {"ok": False, "error": "invalid_arguments"}
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if method == "files.getUploadURLExternal":
            self.announced["F1"] = int(form["length"])
            return {"ok": True, "upload_url": f"{self.url}/upload/v1/F1", "file_id": "F1"}
        [file] = json.loads(form["files"])
        if file["id"] not in self.uploaded:
            return {"ok": False, "error": "file_not_found"}
        if not form["channel_id"].startswith("C"):
            return {"ok": False, "error": "invalid_channel"}
        self.shown.append((form["thread_ts"], file["title"], self.uploaded.pop(file["id"])))
        return {"ok": True, "files": [file]}

    def _upload(self, request):
        name = request.path.rpartition("/")[2]
        is_wrong = "authorization" in request.headers or self.fails == "upload"
        if is_wrong or self.announced.pop(name, None) != len(request.body):
            return Reply(400, b"bad upload")
        self.uploaded[name] = request.body
        return Reply(200, f"OK - {len(request.body)}".encode())

    @property
    def calls(self):
        chats = [request for request in self.requests if "/chat." in request.path]
        return [(request.path.rpartition("/")[2], request.json) for request in chats]
