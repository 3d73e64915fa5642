"""Takes each action one step further: claim, call, follow, verify.

A step is one transaction, or one call between two. What is on disk always says at least as much as
what has left this machine: the intent is committed before the call, and a call whose fate is
unknown is asked about, never repeated on a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection, Engine

from alerting import (
    action_call,
    actions,
    circumstances,
    guard_facts,
    incident_view,
    informing,
    kill_switch,
    rule_modes,
)
from alerting.action_call import Outcome, Reply
from alerting.action_story import Story
from alerting.actions import Action, State
from alerting.circumstances import NOTHING_SEEN
from alerting.clock_watch import ClockWatch
from alerting.configuration import Configuration
from alerting.decision import Denied, decide
from alerting.pipeline import Event, Work
from alerting.remediation_rules import EndpointSettings, Mode, RuleSettings
from alerting.telemetry import Telemetry
from alerting.templates import LabelMissing
from alerting.timeline import Kind
from alerting.verification import Progress, Queries, filled, judge, observe
from watchkeeper.clock import Clock
from watchkeeper.storage import reading, writing

RETRY_SECONDS = 2.0
"""Between attempts to reach an endpoint that could not be connected to, or to ask it."""

POLL_SECONDS = 1.0
"""Between questions about an action that the endpoint is working on."""

ASKING_SECONDS = 60.0
"""How long past its expiry a call of unknown fate is asked about before the data must decide."""


class Remediator:
    """The state machine of actions; ``step`` may run in several threads and processes at once."""

    def __init__(
        self,
        *,
        engine: Engine,
        clock: Clock,
        configuration: Configuration,
        prometheus: Queries,
        telemetry: Telemetry,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._configuration = configuration
        self._prometheus = prometheus
        self._clock_watch = ClockWatch(clock)
        self._telemetry = telemetry
        self._story = Story(telemetry)
        self._steps: Mapping[str, Callable[[Action], None]] = {
            State.READY: self._claim,
            State.CLAIMED: self._dispatch,
            State.DISPATCHED: self._ask,  # its holder is gone: whether the call left is unknown
            State.ASKING: self._ask,
            State.RUNNING: self._follow,
            State.VERIFYING: self._verify,
        }

    def step(self) -> bool:
        """Take the longest due action one step further; return whether there was one."""
        self._clock_watch.jumped_at()
        with reading(
            self._engine
        ) as connection:  # mostly nothing is due: no turn to write for that
            if not actions.is_any_due(connection, now=self._clock.now()):
                return False
        with writing(self._engine) as connection:
            action = actions.take_due(connection, now=self._clock.now())
        if action is None:
            return False
        self._steps[action.state](action)
        return True

    def _claim(self, action: Action) -> None:
        """Decide, and on success commit the intent, in one transaction."""
        rule = self._configuration.remediation.rule(action.rule)
        seen = circumstances.look(self._prometheus, rule, action) if rule else NOTHING_SEEN
        seen = replace(seen, clock_jumped_at=self._clock_watch.jumped_at())
        with writing(self._engine) as connection:
            work = self._work(connection)
            settings = work.remediation
            rule = settings.rule(action.rule)
            if rule is None:
                self._story.denied(action, Denied("rule_removed", "its rule was removed"), work)
                return
            facts = guard_facts.gather(connection, action, rule, settings, seen, now=work.now)
            decision = decide(rule, settings.budget, facts, now=work.now)
            if isinstance(decision, Denied):
                self._story.denied(action, decision, work)
                return
            intent = informing.intent if rule.informs else self._intent
            values = intent(action, rule, work)
            if rule.mode is Mode.OBSERVE:
                self._story.observed(action, work, **values)
            elif rule.informs:
                informing.inform(action, rule, values, work, self._story)
            else:
                actions.settle(
                    connection, action, state=State.CLAIMED, next_step_at=work.now, **values
                )
                self._story.audited(action, "claimed", work, fencing_token=values["fencing_token"])

    def _intent(self, action: Action, rule: RuleSettings, work: Work) -> dict[str, Any]:
        """Return the columns that record what is to be sent: the exact body and its limits."""
        expires_at = work.now + timedelta(seconds=rule.expires_after_seconds)
        token = actions.next_token(work.connection)
        body = action_call.render(
            action,
            incident={
                "id": action.incident_id,
                "title": incident_view.title(work.connection, action.incident_id),
                "url": work.settings.link(action.incident_id),
            },
            fencing_token=token,
            now=work.now,
            expires_at=expires_at,
        )
        return {
            "body": body,
            "fencing_token": token,
            "claimed_at": work.now,
            "expires_at": expires_at,
        }

    def _dispatch(self, action: Action) -> None:
        """Send the call, unless the switch was thrown or it has become too old to be safe."""
        with writing(self._engine) as connection:
            work = self._work(connection)
            endpoint = self._endpoint(action)
            scopes = kill_switch.scopes_of(rule=action.rule, target=action.target)
            pause = kill_switch.stopping(connection, scopes, now=work.now)
            if pause is not None:
                denial = Denied("paused", pause.sentence, work.now + _RECHECK)
                self._story.denied(action, denial, work)
                return
            if endpoint is None or work.now >= _expiry(action):
                text = "it could not be sent in time" if endpoint else "its endpoint was removed"
                self._end(action, State.FAILED, Kind.ACTION_FAILED, text, work)
                return
            if not actions.settle(
                connection,
                action,
                keep_lease=True,
                state=State.DISPATCHED,
                dispatched_at=action.dispatched_at or work.now,
                summary="called, no answer yet",
            ):
                return
            if action.dispatched_at is None:
                self._story.audited(action, "dispatched", work, body=action.body)
        self._called(action, self._call(endpoint, action))

    def _call(self, endpoint: EndpointSettings, action: Action) -> Reply:
        """Make the call, unless this process was stopped so long that another may make it."""
        now = self._clock.now()
        if not actions.is_held(action, now, needed_seconds=endpoint.timeout_seconds):
            return Reply(Outcome.NOT_SENT, "the lease ran out first")
        policy = self._configuration.alerting.egress.policy
        return action_call.call(endpoint, action, policy=policy, now=now)

    def _called(self, action: Action, reply: Reply) -> None:
        """Record what the answer to the call means."""
        with writing(self._engine) as connection:
            work = self._work(connection)
            if reply.outcome is Outcome.ACCEPTED:
                self._go(action, State.RUNNING, reply.text, work, kind=Kind.ACTION_DISPATCHED)
            elif reply.outcome is Outcome.FAILED:
                self._end(action, State.FAILED, Kind.ACTION_FAILED, reply.text, work)
            elif reply.outcome is Outcome.NOT_SENT:
                actions.settle(
                    connection,
                    action,
                    state=State.CLAIMED,
                    summary=f"not sent yet: {reply.text}",
                    next_step_at=work.now + _RETRY,
                )
            else:
                text = f"whether it arrived is unknown; asking ({reply.text})"
                self._go(action, State.ASKING, text, work, kind=Kind.ACTION_UNKNOWN)

    def _ask(self, action: Action) -> None:
        """Find out what became of a call of unknown fate; never repeat it on a guess."""
        if action.state == State.DISPATCHED:
            self._telemetry.duplicate_avoided("question")
        endpoint = self._endpoint(action)
        reply = self._reply(endpoint, action)
        with writing(self._engine) as connection:
            work = self._work(connection)
            if reply.outcome in _KNOWN:
                self._progressed(action, reply, work)
                return
            is_late = work.now >= _expiry(action)
            if reply.outcome is Outcome.ABSENT and endpoint and endpoint.deduplicates:
                if is_late:
                    text = "the endpoint never got it, and it has expired"
                    self._end(action, State.FAILED, Kind.ACTION_FAILED, text, work)
                else:
                    text = "the endpoint never got it; sending it again under the same key"
                    self._go(action, State.CLAIMED, text, work)
            elif reply.outcome is Outcome.ABSENT or work.now >= _expiry(action) + _ASKING:
                self._let_data_decide(action, reply.text, work)
            elif action.state == State.ASKING:
                actions.settle(connection, action, next_step_at=work.now + _RETRY)
            else:
                text = "stopped after the call may have left; asking the endpoint"
                self._go(
                    action, State.ASKING, text, work,
                    kind=Kind.ACTION_UNKNOWN, after_seconds=RETRY_SECONDS,
                )  # fmt: skip

    def _follow(self, action: Action) -> None:
        """Ask how far the endpoint is with an action it accepted."""
        reply = self._reply(self._endpoint(action), action)
        with writing(self._engine) as connection:
            work = self._work(connection)
            rule = self._configuration.remediation.rule(action.rule)
            limit_seconds = rule.run_time_seconds if rule else 0.0
            running_seconds = (work.now - (action.dispatched_at or work.now)).total_seconds()
            is_open = reply.outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN)
            if not is_open:
                self._progressed(action, reply, work)
            elif running_seconds < limit_seconds:
                actions.settle(connection, action, next_step_at=work.now + _POLL)
            else:
                text = f"no outcome within {limit_seconds:g} s"
                self._let_data_decide(action, text, work)

    def _progressed(self, action: Action, reply: Reply, work: Work) -> None:
        """Move on with what the endpoint says of the action."""
        if reply.outcome is not Outcome.ACCEPTED and action.state != State.RUNNING:
            text = "the call had arrived, though its answer was lost"
            if not actions.settle(work.connection, action, keep_lease=True, summary=text):
                return
            self._story.told(action, Kind.ACTION_DISPATCHED, text, work)
        if reply.outcome is Outcome.ACCEPTED:
            self._go(action, State.RUNNING, reply.text, work, kind=Kind.ACTION_DISPATCHED)
        elif reply.outcome is Outcome.SUCCEEDED:
            self._go(
                action, State.VERIFYING, f"done, checking whether it helped: {reply.text}", work,
                kind=Kind.ACTION_COMPLETED, completed_at=work.now, progress={},
            )  # fmt: skip
        elif reply.outcome is Outcome.FAILED:
            self._end(action, State.FAILED, Kind.ACTION_FAILED, reply.text, work)
        else:
            self._let_data_decide(action, reply.text, work)

    def _let_data_decide(self, action: Action, why: str, work: Work) -> None:
        """Check the effect of an action whose outcome nobody can tell."""
        self._go(
            action, State.VERIFYING, f"outcome unknown, checking the effect: {why}", work,
            kind=Kind.ACTION_UNKNOWN, completed_at=work.now, progress={"is_ambiguous": True},
        )  # fmt: skip

    def _verify(self, action: Action) -> None:
        """Look once at the data and decide whether the action worked."""
        if action.compensates:
            self._compensated(action)
            return
        rule = self._configuration.remediation.rule(action.rule)
        policy = rule.verification if rule else None
        try:
            policy = filled(policy, action.alert_labels) if policy else None
        except LabelMissing:
            policy = None
        if policy is None:
            with writing(self._engine) as connection:
                text = "nothing says any more how to verify it"
                self._unverified(action, text, self._work(connection))
            return
        observations = observe(self._prometheus, policy.checks)
        progress = dict(action.progress)
        is_ambiguous = bool(progress.pop("is_ambiguous", False))
        with writing(self._engine) as connection:
            work = self._work(connection)
            verdict = judge(
                policy,
                observations,
                Progress(**progress),
                completed_at=action.completed_at or work.now,
                now=work.now,
            )
            if verdict.is_verified:
                self._verified(action, verdict.progress.last_seen, work)
            elif verdict.is_final:
                self._unverified(action, verdict.progress.last_seen, work)
            else:
                actions.settle(
                    connection,
                    action,
                    next_step_at=work.now + timedelta(seconds=policy.every_seconds),
                    progress={
                        "good_in_a_row": verdict.progress.good_in_a_row,
                        "counted_at": verdict.progress.counted_at,
                        "last_seen": verdict.progress.last_seen,
                        "is_ambiguous": is_ambiguous,
                    },
                )

    def _compensated(self, action: Action) -> None:
        """Close a compensation the endpoint reports done: what it was for has failed anyway."""
        with writing(self._engine) as connection:
            is_known = not action.progress.get("is_ambiguous")
            state, text = (
                (State.SUCCEEDED, "made up for what did not help")
                if is_known
                else (State.UNKNOWN, "whether it made up for what did not help is unknown")
            )
            self._end(action, state, Kind.ACTION_COMPLETED, text, self._work(connection))

    def _verified(self, action: Action, evidence: str, work: Work) -> None:
        text = f"worked: {evidence}"
        self._end(action, State.SUCCEEDED, Kind.VERIFIED, text, work)
        self._story.recovered(action, work)

    def _unverified(self, action: Action, evidence: str, work: Work) -> None:
        if action.progress.get("is_ambiguous"):
            text = f"outcome unknown and no recovery seen: {evidence}"
            self._end(action, State.UNKNOWN, Kind.UNVERIFIED, text, work)
        else:
            text = f"did not help as far as can be seen: {evidence}"
            self._end(action, State.UNVERIFIED, Kind.UNVERIFIED, text, work)

    def _go(
        self,
        action: Action,
        state: State,
        summary: str,
        work: Work,
        *,
        kind: Kind | None = None,
        after_seconds: float = 0.0,
        **values: Any,
    ) -> None:
        """Move an action to its next state; with ``kind`` this is told on the timeline."""
        next_step_at = work.now + timedelta(seconds=after_seconds)
        if actions.settle(
            work.connection,
            action,
            state=state,
            summary=summary,
            next_step_at=next_step_at,
            **values,
        ):
            self._story.audited(action, str(state), work, summary=summary)
            if kind is not None:
                self._story.told(action, kind, summary, work)

    def _end(self, action: Action, state: State, kind: Kind, summary: str, work: Work) -> None:
        """Close an action; when it did not help, plan the next attempt or call a person."""
        if not actions.settle(
            work.connection, action, state=state, summary=summary, finished_at=work.now
        ):
            return
        self._story.audited(action, str(state), work, summary=summary)
        self._story.told(action, kind, summary, work)
        self._story.ended(action, state, work)
        self._tell_end(action, state, work)

    def _tell_end(self, action: Action, state: State, work: Work) -> None:
        """Go on where something is left to do; call a person once, when nothing is."""
        if state is State.SUCCEEDED and not action.compensates:
            self._story.tell_people(action, Event.ACTION, work)
            return
        may_repeat = state in (State.FAILED, State.UNVERIFIED) and not action.compensates
        if may_repeat and self._plan_again(action, work):
            self._story.tell_people(action, Event.ACTION, work)
        elif not self._plan_compensation(action, work):
            self._story.tell_people(action, Event.ESCALATED, work)

    def _plan_compensation(self, action: Action, work: Work) -> bool:
        rule = work.remediation.rule(action.rule)
        if rule is None or not actions.plan_compensation(
            work.connection, action, rule, now=work.now
        ):
            return False
        self._story.audited(action, "compensating", work)
        return True

    def _plan_again(self, action: Action, work: Work) -> bool:
        """Plan another attempt when the rule has one left and its alert still fires."""
        rule = work.remediation.rule(action.rule)
        if rule is None or action.attempt >= rule.attempts:
            return False
        if not guard_facts.is_needed(work.connection, action, rule):
            return False
        actions.plan(
            work.connection,
            rule,
            incident_id=action.incident_id,
            target=action.target,
            parameters=action.parameters,
            labels=action.alert_labels,
            annotations=action.alert_annotations,
            started_at=action.alert_started_at,
            state=State.PROPOSED if rule.mode is Mode.APPROVE else State.READY,
            now=work.now,
        )
        return True

    def _reply(self, endpoint: EndpointSettings | None, action: Action) -> Reply:
        if endpoint is None:
            return Reply(Outcome.UNKNOWN, "its endpoint was removed")
        policy = self._configuration.alerting.egress.policy
        return action_call.ask(endpoint, action.idempotency_key, policy=policy)

    def _endpoint(self, action: Action) -> EndpointSettings | None:
        return self._configuration.remediation.endpoints.get(action.endpoint)

    def _work(self, connection: Connection) -> Work:
        return Work(
            connection=connection,
            now=self._clock.now(),
            settings=self._configuration.alerting,
            remediation=rule_modes.in_force(connection, self._configuration.remediation),
        )


_KNOWN = (Outcome.ACCEPTED, Outcome.SUCCEEDED, Outcome.FAILED, Outcome.INTERRUPTED)
_RECHECK = timedelta(seconds=5)
_RETRY = timedelta(seconds=RETRY_SECONDS)
_POLL = timedelta(seconds=POLL_SECONDS)
_ASKING = timedelta(seconds=ASKING_SECONDS)


def _expiry(action: Action) -> datetime:
    return action.expires_at or action.created_at
