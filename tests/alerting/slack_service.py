"""Slack's Web API on loopback, as strict as the real one."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from tests.alerting.loopback import LoopbackServer, Reply, as_json


class SlackService(LoopbackServer):
    """Answers as Slack's Web API does, and refuses what it would refuse.

    A file is announced with its length, uploaded without a token to the address given for it, and
    shown where it is said to belong; each once, and in this order.
    """

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.error = ""
        self.fails = ""
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
        if method == "chat.update" and request.json.get("ts") != "17.1":
            return as_json({"ok": False, "error": "message_not_found"})
        return as_json({"ok": True, "ts": "17.1", "channel": request.json["channel"]})

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
