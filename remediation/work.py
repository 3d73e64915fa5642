"""What carrying out a call means: look, do, or put back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from remediation.actuators import Actuator, Done, Tell, Temporary
from remediation.ledger import Entry
from remediation.returns import Return, Returns
from watchkeeper.clock import Clock, format_rfc3339


@dataclass(frozen=True, slots=True)
class Worked:
    """What was done; with it, the change that it put back and that is to be forgotten."""

    done: Done
    put_back: Return | None = None


def carry_out(
    actuator: Actuator, entry: Entry, returns: Returns, *, clock: Clock, tell: Tell
) -> Worked:
    """Do what ``entry`` asks for with its actuator, and say what was done.

    Raises:
        WatchkeeperError: it could not be done, or not wholly.
    """
    if entry.revert:
        return _put_back(actuator, entry, returns)
    if entry.dry_run:
        return Worked(actuator.preview())
    if isinstance(actuator, Temporary):
        # Before the deed: a change that we do not live to remember would stay for ever.
        returns.keep(_planned(actuator, entry, returns, clock))
    return Worked(actuator.perform(tell))


def _put_back(actuator: Actuator, entry: Entry, returns: Returns) -> Worked:
    kept, what = returns.find(entry.action, entry.target), f"{entry.action} of {entry.target}"
    if kept is None or not isinstance(actuator, Temporary):
        return Worked(Done(f"{what} has changed nothing that is to be put back"))
    if entry.fencing_token < kept.fencing_token:
        return Worked(Done(f"{what} was prolonged until {kept.due_at}"))
    if entry.dry_run:
        return Worked(Done(f"would put back what {entry.action} changed", {"state": kept.state}))
    return Worked(actuator.revert(kept.state), put_back=kept)


def _planned(actuator: Temporary, entry: Entry, returns: Returns, clock: Clock) -> Return:
    earlier = returns.find(entry.action, entry.target)
    return Return(
        action=entry.action,
        target=entry.target,
        parameters=entry.parameters,
        state=actuator.state(earlier.state if earlier else None),
        made_by=entry.idempotency_key,
        fencing_token=entry.fencing_token,
        due_at=format_rfc3339(clock.now() + timedelta(seconds=actuator.lasts_seconds)),
    )
