"""Alert staff to an urgent answer, and remind them until the flag is handled.

All emails of an alert are planned at once, in the transaction that saves the answer. Each is checked again before it is
sent. It is skipped once the flags are handled. If its recipient has left, the alert is planned for current staff.
The emails contain no patient data, only a time and a link to the admin.

A follow-up that does not settle the flag, such as a message left for the patient, stops no reminder. The patient may
not know of the danger yet, and each recipient can try again; the follow-ups show them what was tried. Staff who know
enough settle the flag, which stops the reminders. A reopened flag gets the reminders that are still due.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from assessments.models import FIRST_REVIEW_WITHIN, Flag, FlagFollowUp, Level, Response, StaffAlert
from clinic.outbox.messages.alerts import plan_until_seen, staff_who_may
from clinic.outbox.models import Message
from clinic.practice.models import Clinic, User

logger = logging.getLogger(__name__)

STAFF_FLAG = "staff_flag"
HOUR = timedelta(hours=1)
# Delays of the reminders after the first email. They are sent while a flag of the alert's level or worse is open.
AGAIN_AFTER = {
    Level.EMERGENCY: (FIRST_REVIEW_WITHIN[Level.EMERGENCY], 2 * HOUR, 8 * HOUR, 24 * HOUR, 48 * HOUR),
    Level.URGENT: (FIRST_REVIEW_WITHIN[Level.URGENT], 24 * HOUR, 48 * HOUR),
}
ONE_SITTING = timedelta(minutes=10)  # pages saved within this time share one alert


def alert_staff(*, response: Response, raised: list[Flag], now: datetime) -> list[StaffAlert]:
    """Plan emails about the worst level in `raised` to all staff who may view flags; none for level T alone.

    Without such staff, they go to the clinic's own address.

    No-op if an alert of the same level or worse was planned within ONE_SITTING and no flag was followed up since: staff
    who have dealt with the earlier flags do not expect another one.
    """
    levels = {flag.current_level for flag in raised} & set(AGAIN_AFTER)
    if not levels:
        return []
    level = Level.EMERGENCY if Level.EMERGENCY in levels else Level.URGENT
    if _is_covered(response, level, now):
        return []
    return _plan_alerts(response=response, level=level, now=now)


def find_recipients() -> list[User]:
    """Return all staff who may view flags in the admin. One query."""
    return staff_who_may("assessments.view_flag")


def where_alerts_go() -> str:
    """Return the recipients of an alert planned now: "staff", else "clinic" (its own address), else "no one"."""
    if find_recipients():
        return "staff"
    return "clinic" if Clinic.objects.current().email else "no one"


def _plan_alerts(*, response: Response, level: Level, now: datetime) -> list[StaffAlert]:
    """Plan an alert to each current recipient; without any, to the clinic's own address if it has one."""
    recipients: list[User | None] = [*find_recipients()]
    if not recipients:
        goes_to = where_alerts_go()
        logger.error("No member of staff may see flags: an alert of level %s goes to %s.", level, goes_to)
        recipients = [None] if goes_to == "clinic" else []
    alerts = [StaffAlert(response=response, recipient=one, level=level, planned_at=now) for one in recipients]
    for alert in StaffAlert.objects.bulk_create(alerts):
        plan_until_seen(kind=STAFF_FLAG, subject_id=alert.pk, again_after=AGAIN_AFTER[level], now=now)
    return alerts


def _is_covered(response: Response, level: Level, now: datetime) -> bool:
    earlier = response.alerts.filter(level__in=_levels_from(level), planned_at__gt=now - ONE_SITTING).first()
    if earlier is None:
        return False
    return not FlagFollowUp.objects.filter(flag__response=response, at__gte=earlier.planned_at).exists()


def why_unwanted(message: Message, now: datetime) -> str | None:
    """Return the reason to skip this alert, or None to send it.

    It is sent while a flag of its level or worse is open and its recipient may view flags, or the clinic has an
    address. If the recipient may no longer view flags, this also plans alerts for the current recipients,
    unless one of them or the clinic was alerted.
    """
    alert = StaffAlert.objects.select_related("recipient", "response").filter(pk=message.subject_id).first()
    if alert is None:
        return "the intake is gone"
    if not Flag.objects.open().filter(response=alert.response_id, level__in=_levels_from(alert.level)).exists():
        return "its flags are acknowledged"
    if alert.recipient is None:
        return None if Clinic.objects.current().email else "the clinic has no email address"
    if alert.recipient in find_recipients():
        return None
    return "the recipient has left; others are alerted" if _hand_over(alert, now=now) else "the recipient has left"


def _levels_from(level: str) -> list[Level]:
    """Return `level` and the worse levels."""
    return [Level.EMERGENCY] if level == Level.EMERGENCY else list(AGAIN_AFTER)


@transaction.atomic
def _hand_over(alert: StaffAlert, *, now: datetime) -> bool:
    """Plan `alert` for the current recipients, unless one of them or the clinic was alerted.

    Return whether an alert was planned.
    """
    Response.objects.select_for_update().get(pk=alert.response_id)  # one worker at a time
    told = StaffAlert.objects.filter(response=alert.response_id, level__in=_levels_from(alert.level))
    if told.filter(Q(recipient__in=find_recipients()) | Q(recipient=None)).exists():
        return False
    return bool(_plan_alerts(response=alert.response, level=Level(alert.level), now=now))
