"""Flags on what must not wait in a patient's answers: raised, lowered, shown, acknowledged. Every step leaves a trace."""

from datetime import datetime

from django.db import transaction

from assessments.models import Flag, Response
from assessments.questionnaire.enablement import enabled_items
from assessments.red_flag_rules.evaluation import Fired, is_sooner
from assessments.red_flag_rules.format import DEADLINES, LEVELS
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import User


def apply_flags(*, response: Response, fired: tuple[Fired, ...], now: datetime) -> list[Flag]:
    """Bring the flags of `response` in line with `fired`; returns those that are new or worse than before.

    The caller holds the lock on the response. A flag is lowered when an answer changes to another, never removed, and each
    lowering is written to the audit trail.
    """
    existing = {flag.rule_id: flag for flag in response.flags.all()}
    raised = []
    for hit in fired:
        flag = existing.pop(hit.rule_id, None)
        if flag is None or not flag.current_level or _is_worse(hit.level, flag.current_level):
            raised.append(_raise_flag(flag, response=response, hit=hit, now=now))
        elif hit.level != flag.current_level:
            _lower_flag(flag, level=hit.level, action=hit.deadline, now=now)
    for flag in existing.values():
        if flag.current_level and not _is_unanswered(flag, response):
            _lower_flag(flag, level="", action=flag.action, now=now)
    return raised


def _is_unanswered(flag: Flag, response: Response) -> bool:
    """Whether a question that raised `flag` is still asked and has no answer now: taking an answer back says nothing, so the
    flag stands until there is another."""
    asked = enabled_items(response.questionnaire.parsed, response.answers)
    return any(name in asked and not response.answers.get(name) for name in flag.snapshot)


def _raise_flag(flag: Flag | None, *, response: Response, hit: Fired, now: datetime) -> Flag:
    """A new flag, or one that comes back or got worse: then patient and staff must look at it again."""
    if flag is None:
        flag = Flag(response=response, rule_id=hit.rule_id, level=hit.level)
    flag.level = min(flag.level, hit.level, key=LEVELS.index)
    flag.current_level, flag.action = hit.level, hit.deadline
    flag.rule_version, flag.snapshot, flag.raised_at = hit.rule_version, hit.snapshot, now
    flag.shown_at = flag.patient_acknowledged_at = flag.callback_requested_at = None
    flag.staff_acknowledged_at = flag.staff_acknowledged_by = None
    flag.lowered_at = None if flag.level == hit.level else now
    flag.save()
    return flag


def _lower_flag(flag: Flag, *, level: str, action: str, now: datetime) -> None:
    flag.current_level, flag.action, flag.lowered_at = level, action, now
    flag.save(update_fields=["current_level", "action", "lowered_at"])
    record_access(actor=None, action=Action.UPDATE, subject=flag, patient_id=flag.response.patient_id, now=now)


def _is_worse(level: str, than: str) -> bool:
    return LEVELS.index(level) < LEVELS.index(than)


def mark_shown(*, response: Response, level: str, now: datetime) -> None:
    """Write down that the patient is being shown the advice of `level`, where it was not shown before."""
    unseen = response.flags.unseen_by_patient().filter(current_level=level, shown_at__isnull=True)
    unseen.update(shown_at=now)


def acknowledge_shown(*, response: Response, level: str, deadline: str = DEADLINES[0], now: datetime) -> int:
    """The patient has read the page about flags of `level`, which said to be seen by `deadline`.

    Returns how many flags that settles; none the second time. One that asks for more haste was raised in another tab
    meanwhile and is still to be read.
    """
    read = {flag.rule_id: deadline for flag in response.flags.unseen_by_patient().filter(current_level=level)}
    return acknowledge_read(response=response, read=read, level=level, now=now)


def acknowledge_read(*, response: Response, read: dict[str, str], level: str, now: datetime) -> int:
    """The patient has read the advice of the rules in `read` ({rule: the deadline that was shown}), at `level`. How many."""
    with transaction.atomic():
        unseen = response.flags.unseen_by_patient().filter(current_level=level).select_for_update()
        of_rules = [flag for flag in unseen if flag.rule_id in read]  # encrypted: the database cannot look for them
        flags = [flag for flag in of_rules if not is_sooner(flag.action, than=read[flag.rule_id])]
        for flag in flags:
            flag.patient_acknowledged_at, flag.shown_at = now, flag.shown_at or now
            flag.save(update_fields=["patient_acknowledged_at", "shown_at"])
            record_access(actor=None, action=Action.EXECUTE, subject=flag, patient_id=response.patient_id, now=now)
    return len(flags)


def request_callback(*, response: Response, now: datetime) -> int:
    """The patient asks to be called about the emergency and urgent flags that stand. Asking twice keeps the first time."""
    return response.flags.filter(current_level__in=["E", "U"], callback_requested_at__isnull=True).update(
        callback_requested_at=now
    )


def acknowledge_flag(*, flag: Flag, by: User, now: datetime) -> bool:
    """`by`, of the clinic's staff, has seen to `flag`. False if somebody was first; their name stays."""
    with transaction.atomic():
        locked = Flag.objects.select_for_update().get(pk=flag.pk)
        if locked.staff_acknowledged_at is not None:
            return False
        locked.staff_acknowledged_at, locked.staff_acknowledged_by = now, by
        locked.save(update_fields=["staff_acknowledged_at", "staff_acknowledged_by"])
        record_access(actor=by, action=Action.EXECUTE, subject=locked, patient_id=flag.response.patient_id, now=now)
    return True
