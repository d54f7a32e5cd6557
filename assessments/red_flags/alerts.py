"""Telling staff that an answer must not wait, and telling them again while nobody has seen to it.

All mails of an alert are planned at once, in the transaction that saves the answer. Before it is sent, each is checked
again: it is skipped once the flags are acknowledged, and goes to others when its recipient has left. They hold no patient
data, only a link into the admin.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from assessments.models import FIRST_LOOK_WITHIN, Flag, Level, Response, StaffAlert
from clinic.outbox.messages.alerts import plan_until_seen, staff_who_may
from clinic.outbox.models import Message
from clinic.practice.models import Clinic, User

logger = logging.getLogger(__name__)

STAFF_FLAG = "staff_flag"
HOUR = timedelta(hours=1)
# After the first mail: when staff are told again, as long as a flag of the alert's level or worse is open.
AGAIN_AFTER = {
    Level.EMERGENCY: (FIRST_LOOK_WITHIN[Level.EMERGENCY], 2 * HOUR, 8 * HOUR, 24 * HOUR, 48 * HOUR),
    Level.URGENT: (FIRST_LOOK_WITHIN[Level.URGENT], 24 * HOUR, 48 * HOUR),
}
ONE_SITTING = timedelta(minutes=10)  # a runner answers several pages within it; staff get one mail, not one a page


def alert_staff(*, response: Response, raised: list[Flag], now) -> list[StaffAlert]:
    """Plan mails to every member of staff who may see flags, about the worst of `raised`; none for level T alone.

    Nothing is added while an alert of this sitting, as bad or worse, has not been answered by anybody.
    """
    levels = {flag.current_level for flag in raised} & set(AGAIN_AFTER)
    if not levels:
        return []
    level = Level.EMERGENCY if Level.EMERGENCY in levels else Level.URGENT
    if _is_covered(response, level, now):
        return []
    return _plan_alerts(response=response, level=level, now=now)


def find_recipients() -> list[User]:
    """Every user who can log in to the admin and see flags there; one query."""
    return staff_who_may("assessments.view_flag")


def where_alerts_go() -> str:
    """Whom an alert would reach now: "staff", else "clinic" (its own address), else "nobody"."""
    if find_recipients():
        return "staff"
    return "clinic" if Clinic.objects.current().email else "nobody"


def _plan_alerts(*, response: Response, level: str, now) -> list[StaffAlert]:
    """Alerts to those who can be told now; to the clinic's own address if there are none."""
    recipients = find_recipients()
    if not recipients:
        goes_to = where_alerts_go()
        logger.error("No member of staff may see flags: an alert of level %s goes to %s.", level, goes_to)
        recipients = [None] if goes_to == "clinic" else []
    alerts = [StaffAlert(response=response, recipient=one, level=level, planned_at=now) for one in recipients]
    for alert in StaffAlert.objects.bulk_create(alerts):
        plan_until_seen(kind=STAFF_FLAG, subject_id=alert.pk, again_after=AGAIN_AFTER[level], now=now)
    return alerts


def _is_covered(response: Response, level: str, now) -> bool:
    as_bad = [Level.EMERGENCY] if level == Level.EMERGENCY else list(AGAIN_AFTER)
    earlier = response.alerts.filter(level__in=as_bad, planned_at__gt=now - ONE_SITTING).first()
    return earlier is not None and not response.flags.filter(staff_acknowledged_at__gte=earlier.planned_at).exists()


def why_unwanted(message: Message, now) -> str | None:
    """Why this alert is not needed; None while a flag of its level or worse is open and its recipient can look.

    The last recipient to leave hands the alert over: it is planned anew for those who are there.
    """
    alert = StaffAlert.objects.select_related("recipient", "response").filter(pk=message.subject_id).first()
    if alert is None:
        return "the intake is gone"
    levels = [Level.EMERGENCY] if alert.level == Level.EMERGENCY else list(AGAIN_AFTER)
    if not Flag.objects.open().filter(response=alert.response_id, level__in=levels).exists():
        return "somebody has seen to it"
    if alert.recipient is None:
        return None if Clinic.objects.current().email else "the clinic has no email address"
    if alert.recipient in find_recipients():
        return None
    return "the recipient has left; others are told" if _hand_over(alert, now=now) else "the recipient has left"


@transaction.atomic
def _hand_over(alert: StaffAlert, *, now) -> bool:
    """Plan `alert` anew if nobody is left who was told of its response. Whether it was."""
    Response.objects.select_for_update().get(pk=alert.response_id)  # one worker at a time
    as_bad = [Level.EMERGENCY] if alert.level == Level.EMERGENCY else list(AGAIN_AFTER)
    told = StaffAlert.objects.filter(response=alert.response_id, level__in=as_bad)
    if told.filter(Q(recipient__in=find_recipients()) | Q(recipient=None)).exists():
        return False
    return bool(_plan_alerts(response=alert.response, level=alert.level, now=now))
