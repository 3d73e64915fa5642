"""Puts a chart into the thread of a Slack message.

Three calls: ask where to send the picture, send it there, say which thread it belongs to
(docs.slack.dev/messaging/working-with-files). The bot needs the scope ``files:write``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from alerting.notifiers.http_answer import post
from alerting.notifiers.notifier import NotDelivered
from alerting.notifiers.slack_calls import SlackCalls
from watchkeeper.errors import Reason

TIMEOUT_SECONDS = 4.0
"""Of each call: with the message's own, all must end within the lease of a delivery."""
FILE_NAME = "chart.png"


@dataclass(frozen=True, slots=True)
class SlackChart:
    """Uploads pictures into threads of one channel."""

    calls: SlackCalls
    channel: str

    def show(self, chart: bytes, *, thread: str, title: str, now: datetime) -> None:
        """Upload a PNG below the message ``thread``; raise NotDelivered when it is not there.

        Args:
            chart: the picture.
            thread: the timestamp that names the message.
            title: what stands above the picture.
            now: for answers that name a time.
        """
        wanted = {"filename": FILE_NAME, "length": str(len(chart)), "alt_txt": title}
        place = self.calls.as_form(
            "files.getUploadURLExternal", wanted, now, timeout_seconds=TIMEOUT_SECONDS
        )
        try:
            upload_url, file_id = str(place["upload_url"]), str(place["file_id"])
        except KeyError:
            text = "files.getUploadURLExternal named no place"
            raise NotDelivered(text, reason=Reason.BAD_ANSWER) from None
        # No token goes there: the address itself is the permission.
        post(
            upload_url, chart, {"Content-Type": "image/png"},
            policy=self.calls.policy, now=now, timeout_seconds=TIMEOUT_SECONDS,
        )  # fmt: skip
        files = json.dumps([{"id": file_id, "title": title}])
        where = {"files": files, "channel_id": self.channel, "thread_ts": thread}
        self.calls.as_form(
            "files.completeUploadExternal", where, now, timeout_seconds=TIMEOUT_SECONDS
        )
