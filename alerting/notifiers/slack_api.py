"""Slack through its Web API: one message an incident, kept up to date, and a thread below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from alerting.notifiers import slack_message
from alerting.notifiers.notifier import Message, NotDelivered, ReceiverSettings
from alerting.notifiers.slack_calls import API_URL, SlackCalls
from alerting.notifiers.slack_chart import SlackChart
from watchkeeper.configuration import Secret
from watchkeeper.foreign_text import storable
from watchkeeper.logs import get_logger
from watchkeeper.outbound import EgressPolicy

log = get_logger(__name__)


class Options(ReceiverSettings):
    """A Slack channel and the token of a bot that may write there.

    Scopes: ``chat:write``, and ``files:write`` for charts.
    """

    kind: Literal["slack_api"]
    token: Secret
    channel: str
    """Its id, such as C0123456789; a name works for posting, and not for updates and charts."""
    url: str = API_URL
    """Another only for tests."""

    @property
    def is_configured(self) -> bool:
        """Whether a token is set."""
        return bool(self.token)


@dataclass(frozen=True, slots=True)
class SlackApi:
    """Posts the first message, then updates it and says what is new in its thread."""

    channel: str
    calls: SlackCalls
    chart: SlackChart
    pace_seconds: ClassVar[float] = 1.0
    """Slack takes about one message a second for each channel."""
    at_once: ClassVar[int] = 1
    takes_chart: ClassVar[bool] = True

    def send(self, message: Message, *, now: datetime) -> str | None:
        """Tell the message; raise NotDelivered unless Slack said ``ok`` to each of its calls.

        Returns:
            The timestamp that names the message below which later ones belong, if it is a new one:
            the first of the incident, or one in place of what cannot be continued any more.
        """
        content = {"channel": self.channel, **slack_message.render(message)}
        if not message.thread:
            first = self._post_anew(content, now)
            self._illustrate(message, first, now)
            return first
        try:
            self._continue(message, content, now)
        except NotDelivered as problem:
            if not problem.is_permanent:
                raise
            # Deleted, too old to be edited, locked, made by another bot: it must be told all the
            # same. What is wrong with the channel or the token is wrong with this call as well.
            extra = {"receiver": "slack_api", "error": str(problem)}
            log.warning("message cannot be continued, posting a new one", extra=extra)
            return self._post_anew(content, now)
        return None

    def _post_anew(self, content: Mapping[str, Any], now: datetime) -> str:
        return storable(str(self.calls.as_json("chat.postMessage", content, now)["ts"]))

    def _continue(self, message: Message, content: Mapping[str, Any], now: datetime) -> None:
        """Bring the incident's message up to date and say below it what is new."""
        # First the update, which may be repeated; the reply, which may not, is last.
        self.calls.as_json("chat.update", {**content, "ts": message.thread}, now)
        words = slack_message.render_reply(message)
        reply = {"channel": self.channel, "text": words, "thread_ts": message.thread}
        self.calls.as_json("chat.postMessage", reply, now)

    def _illustrate(self, message: Message, thread: str, now: datetime) -> None:
        """Show the chart below the first message, once; the message itself is told already."""
        if not message.chart:
            return
        title = str(message.incident["title"])
        try:
            self.chart.show(message.chart, thread=thread, title=title, now=now)
        except NotDelivered as problem:
            # Not a failure of the message: trying that again would tell people the same twice.
            log.warning("chart not shown", extra={"receiver": "slack_api", "error": str(problem)})


def build(options: Options, policy: EgressPolicy) -> SlackApi:
    """Return the notifier of a Slack channel with a token."""
    calls = SlackCalls(options.url, options.token, policy)
    return SlackApi(options.channel, calls, SlackChart(calls, options.channel))
