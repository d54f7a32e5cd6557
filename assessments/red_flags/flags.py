"""Raise, lower, show and acknowledge flags. Every step sets a time on the flag."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from assessments.models import Flag, FollowUpKind, Response
from assessments.questionnaire.enablement import enabled_items
from assessments.red_flag_rules.evaluation import Fired, is_sooner
from assessments.red_flag_rules.format import DEADLINES, LEVELS
from assessments.red_flags.follow_ups import append_entry, lock_flag, lock_responses, require_version
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import User


def apply_flags(*, response: Response, fired: tuple[Fired, ...], now: datetime) -> list[Flag]:
    """Update the flags of `response` to match `fired`. Return those that are new or worse than before.

    The caller holds the lock on the response. A flag whose rule no longer fires is lowered, never deleted. It is
    not lowered while a question that raised it is asked but unanswered. Lowering is recorded in the audit log.
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
    """Return whether a question that raised `flag` is still asked but unanswered now. Such a flag is not lowered."""
    asked = enabled_items(response.questionnaire.parsed, response.answers)
    return any(name in asked and not response.answers.get(name) for name in flag.snapshot)


def _raise_flag(flag: Flag | None, *, response: Response, hit: Fired, now: datetime) -> Flag:
    """Save a new flag, or raise an existing one again, which clears its acknowledgments.

    A call that the patient asked for is still to be made.
    """
    if flag is None:
        flag = Flag(response=response, rule_id=hit.rule_id, level=hit.level)
    else:
        flag.waiting_since = now if _starts_new_wait(flag, hit.level) else flag.waiting_since
        flag.version = F("version") + 1
    flag.level = min(flag.level, hit.level, key=LEVELS.index)
    flag.current_level, flag.action = hit.level, hit.deadline
    flag.rule_version, flag.snapshot, flag.raised_at = hit.rule_version, hit.snapshot, now
    flag.shown_at = flag.patient_acknowledged_at = None
    flag.staff_acknowledged_at = flag.staff_acknowledged_by = None
    flag.lowered_at = None if flag.level == hit.level else now
    flag.save()
    return flag


def _starts_new_wait(flag: Flag, level: str) -> bool:
    """Return whether raising `flag` at `level` starts a new wait for staff.

    A flag that staff have not seen goes on waiting, so that an answer changed back and forth does not shorten the wait
    on record. A level worse than ever has its own time limit.
    """
    return _is_worse(level, flag.level) or flag.follow_ups.filter(raised_at=flag.waiting_since).exists()


def _lower_flag(flag: Flag, *, level: str, action: str, now: datetime) -> None:
    flag.current_level, flag.action, flag.lowered_at = level, action, now
    flag.save(update_fields=["current_level", "action", "lowered_at"])
    record_access(actor=None, action=Action.UPDATE, subject=flag, patient_id=flag.response.patient_id, now=now)


def _is_worse(level: str, than: str) -> bool:
    return LEVELS.index(level) < LEVELS.index(than)


def mark_shown(*, response: Response, level: str, now: datetime) -> None:
    """Record when the patient is first shown the advice of `level`."""
    with transaction.atomic():
        lock_responses([response.pk])
        unseen = response.flags.unseen_by_patient().filter(current_level=level, shown_at__isnull=True)
        unseen.update(shown_at=now)


def acknowledge_shown(*, response: Response, level: str, deadline: str = DEADLINES[0], now: datetime) -> int:
    """Record that the patient has read the advice of `level` with `deadline`. Return the number of flags acknowledged.

    Idempotent. A flag with a sooner deadline, raised meanwhile in another tab, remains unread.
    """
    read = {flag.rule_id: deadline for flag in response.flags.unseen_by_patient().filter(current_level=level)}
    return acknowledge_read(response=response, read=read, level=level, now=now)


def acknowledge_read(*, response: Response, read: dict[str, str], level: str, now: datetime) -> int:
    """Record that the patient has read the advice of the rules in `read` ({rule id: deadline shown}) at `level`.

    Add an audit entry for each flag acknowledged, and return their number. A flag whose deadline is now sooner than the
    one shown remains unread.
    """
    with transaction.atomic():
        lock_responses([response.pk])
        unseen = response.flags.unseen_by_patient().filter(current_level=level).order_by("pk").select_for_update()
        of_rules = [flag for flag in unseen if flag.rule_id in read]  # encrypted, so SQL cannot filter it
        flags = [flag for flag in of_rules if not is_sooner(flag.action, than=read[flag.rule_id])]
        for flag in flags:
            flag.patient_acknowledged_at, flag.shown_at = now, flag.shown_at or now
            flag.save(update_fields=["patient_acknowledged_at", "shown_at"])
            record_access(actor=None, action=Action.EXECUTE, subject=flag, patient_id=response.patient_id, now=now)
    return len(flags)


def request_callback(*, response: Response, now: datetime) -> int:
    """Record that the patient asks for a call about the current emergency and urgent flags.

    Idempotent. Return the number of flags for which it was not recorded before.
    """
    with transaction.atomic():
        lock_responses([response.pk])
        waiting = response.flags.filter(current_level__in=["E", "U"], callback_requested_at__isnull=True)
        return waiting.update(callback_requested_at=now)


def acknowledge_flag(*, flag: Flag, by: User, version: int | None = None, now: datetime) -> bool:
    """Record on `flag`, in its follow-ups and in the audit log that staff member `by` has handled it.

    Return False if it was handled already. Raises FlagChanged as `require_version` does.
    """
    with transaction.atomic():
        locked = lock_flag(flag.pk)
        if locked.is_handled:
            return False
        require_version(locked, version)
        append_entry(locked, FollowUpKind.ACKNOWLEDGED, by=by, settles=True, now=now)
    return True
