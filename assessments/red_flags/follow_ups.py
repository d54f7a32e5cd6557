"""Follow up flags: how the patient was reached, what was done, and whether that settles the flag; reopen it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from assessments.models import Flag, FlagFollowUp, FollowUpKind, Outcome, Reached, Response
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import User


class FlagChanged(Exception):
    """The flag was raised again or followed up after the page was shown."""


class NothingToReopen(Exception):
    """The flag is open, or it has closed itself because other flags replaced it."""


@dataclass(frozen=True)
class Done:
    """What a member of staff did about a flag. The codes are those of Reached, Outcome and Finding, or empty."""

    reached: str = ""
    outcome: str = ""
    finding: str = ""
    note: str = ""

    def find_faults(self, *, settles: bool, flags: int = 1) -> dict[str, str]:
        """Return why this cannot be recorded, as sentences for staff by field. Empty if it can be, for `flags` flags.

        The same conditions are constraints of FlagFollowUp.
        """
        faults = {}
        if not self.outcome and self.reached != Reached.NOT_REACHED:
            faults["outcome"] = "Choose what was done, or “not reached” above."
        if self.outcome == Outcome.LEFT_MESSAGE and self.reached != Reached.NOT_REACHED:
            faults["outcome"] = "A message alone does not reach the patient. Choose “not reached” above."
        elif self.outcome and self.reached == Reached.NOT_REACHED and self.outcome != Outcome.LEFT_MESSAGE:
            faults["reached"] = "If the patient was not reached, only a message can have been left."
        elif self.outcome in (Outcome.TALKED, Outcome.EMERGENCY_CARE) and not self.reached:
            faults["reached"] = "Choose how you reached the patient."
        elif self.outcome == Outcome.SEEN and self.reached != Reached.IN_PERSON:
            faults["reached"] = "A patient seen at the clinic was reached in person."
        if (self.outcome == Outcome.DOCTOR_FOUND) != bool(self.finding):
            faults["finding"] = (
                "Choose what the doctor found." if not self.finding else "Only with “heard what the doctor found”."
            )
        if self.outcome == Outcome.DOCTOR_FOUND and flags > 1:
            faults["also"] = "What a doctor found is about one flag. Record it for each flag."
        if settles and self.reached == Reached.NOT_REACHED:
            faults.setdefault("reached", "The flag stays open until the patient is reached. Choose “Save, keep open”.")
        return faults


def lock_flag(pk: UUID) -> Flag:
    """Lock a flag until the transaction ends, and return its current row with its response.

    To lock several, call `lock_responses` first.
    """
    return Flag.objects.select_for_update(of=("self",)).select_related("response").get(pk=pk)


def lock_responses(pks: Iterable[UUID]) -> None:
    """Lock responses until the transaction ends, by pk.

    Saving a page holds this lock while it changes flags, in any order. Whoever changes several flags takes it first, so
    that one of two waits for the other before either has a flag.
    """
    list(Response.objects.select_for_update(of=("self",)).filter(pk__in=pks).only("pk").order_by("pk"))


def require_version(flag: Flag, version: int | None) -> None:
    """Raise FlagChanged if the locked `flag` is not the one that the page showed. None skips the check."""
    if version is not None and version != flag.version:
        raise FlagChanged


def record_follow_up(*, versions: Mapping[UUID, int], done: Done, settles: bool, by: User, now: datetime) -> None:
    """Record what staff member `by` did about the flags in `versions` ({pk: version shown}), all or none.

    If it `settles` them, open flags become handled. A handled flag remains handled, so that a doctor's finding can be
    added later. Not reaching the patient, or leaving a message, never settles a flag. Raises FlagChanged for a flag of
    another version, IntegrityError for what `Done.find_faults` names.
    """
    with transaction.atomic():
        lock_responses(Flag.objects.filter(pk__in=versions).values_list("response", flat=True))
        for pk in sorted(versions):
            flag = lock_flag(pk)
            require_version(flag, versions[pk])
            append_entry(
                flag, FollowUpKind.FOLLOWED_UP, by=by, done=done, settles=settles and not flag.is_handled, now=now
            )


def reopen_flag(*, flag: Flag, version: int, by: User, now: datetime) -> None:
    """Open a handled flag again. When staff first saw it stays on record. Raises FlagChanged, NothingToReopen.

    No new alert is planned, since a member of staff is just reading the flag and Today lists it. Reminders of the
    earlier alert that are not due yet are sent again.
    """
    with transaction.atomic():
        locked = lock_flag(flag.pk)
        require_version(locked, version)
        if not locked.is_handled or locked.is_replaced:
            raise NothingToReopen
        locked.staff_acknowledged_at = locked.staff_acknowledged_by = None
        append_entry(locked, FollowUpKind.REOPENED, by=by, now=now)


def append_entry(
    flag: Flag, kind: FollowUpKind, *, by: User, done: Done = Done(), settles: bool = False, now: datetime
) -> None:
    """Append to the follow-ups of a locked `flag` and to the audit log. If it `settles` the flag, mark it as handled."""
    FlagFollowUp.objects.create(
        flag=flag,
        kind=kind,
        at=now,
        by=by,
        reached=done.reached,
        outcome=done.outcome,
        finding=done.finding,
        note=done.note or None,
        settles=settles,
        raised_at=flag.waiting_since,
        level=flag.level,
        rule_version=flag.rule_version,
        version=flag.version + 1,
    )
    if settles:
        flag.staff_acknowledged_at, flag.staff_acknowledged_by = now, by
    flag.version += 1
    flag.save(update_fields=["staff_acknowledged_at", "staff_acknowledged_by", "version"])
    record_access(actor=by, action=Action.EXECUTE, subject=flag, patient_id=flag.response.patient_id, now=now)
