"""Plans the actions that the rules ask for; whether they run is decided when they are claimed."""

from __future__ import annotations

from alerting import actions, audit, timeline
from alerting.actions import State
from alerting.matchers import all_match
from alerting.pipeline import Batch, Occurrence, Work
from alerting.remediation_rules import Mode, RuleSettings
from alerting.templates import ABOUT_THE_ALERT, LabelMissing, fill, fill_parameters
from alerting.timeline import Kind
from alerting.transitions import Change, Transition
from alerting.verification import filled


class Propose:
    """One action for each rule and target of an incident, however many alerts ask for it."""

    def run(self, batch: Batch, work: Work) -> Batch:
        """Write the planned actions; the batch passes unchanged."""
        for occurrence in batch.occurrences:
            for transition in occurrence.transitions:
                if transition.change is Change.FIRED:
                    self._propose(occurrence, transition, work)
        return batch

    def _propose(self, occurrence: Occurrence, transition: Transition, work: Work) -> None:
        for rule in work.remediation.rules:
            if rule.mode is Mode.OFF or not all_match(rule.match, transition.alert.labels):
                continue
            try:
                target = fill(rule.target or ABOUT_THE_ALERT, transition.alert.labels)
                parameters = fill_parameters(rule.parameters, transition.alert.labels)
                if rule.verification:  # what cannot be checked afterwards is not begun
                    filled(rule.verification, transition.alert.labels)
            except LabelMissing as problem:
                _cannot_render(rule, occurrence.incident_id, str(problem), work)
                continue
            if _is_under_way(rule, target, occurrence.incident_id, work):
                continue
            action = actions.plan(
                work.connection,
                rule,
                incident_id=occurrence.incident_id,
                target=target,
                parameters=parameters,
                labels=transition.alert.labels,
                annotations=transition.alert.annotations,
                started_at=transition.alert.starts_at,
                state=State.PROPOSED if rule.mode is Mode.APPROVE else State.READY,
                now=work.now,
            )
            audit.append(
                work.connection,
                actor=f"rule:{rule.name}",
                event="planned",
                subject=action.idempotency_key,
                now=work.now,
                detail=action.detail,
            )
            if rule.mode is not Mode.OBSERVE:  # a rehearsal is told when it is complete
                state = "waits for approval" if rule.mode is Mode.APPROVE else "is planned"
                timeline.add(
                    work.connection,
                    occurrence.incident_id,
                    Kind.ACTION_PROPOSED,
                    f"{action.described} {state} (rule {rule.name})",
                    now=work.now,
                    detail=action.detail,
                )


def _is_under_way(rule: RuleSettings, target: str, incident_id: str, work: Work) -> bool:
    """Return whether the action is open, or its attempts are already known to be used up."""
    latest = actions.latest(work.connection, rule=rule.name, target=target, incident_id=incident_id)
    return latest is not None and (latest.state in actions.OPEN or "attempts" in latest.denied_by)


def _cannot_render(rule: RuleSettings, incident_id: str, problem: str, work: Work) -> None:
    detail = {"rule": rule.name, "action": rule.action, "guard": "template"}
    timeline.add(
        work.connection,
        incident_id,
        Kind.ACTION_DENIED,
        f"rule {rule.name} cannot be applied: {problem}",
        now=work.now,
        detail=detail,
    )
    audit.append(
        work.connection,
        actor=f"rule:{rule.name}",
        event="denied",
        subject=incident_id,
        now=work.now,
        detail={**detail, "problem": problem},
    )
