"""Telling staff that an answer must not wait, and telling them again while nobody has seen to it.

All mails of an alert are planned at once, in the transaction that saves the answer: each looks again before it leaves and
stays at home once the flags are acknowledged. They hold no patient data, only a link into the admin.
"""

from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from clinic.outbox.alerts import plan_until_seen, staff_who_may
from clinic.outbox.kinds import Email, MessageKind, register_kind
from clinic.outbox.models import Message
from clinic.outbox.rendering import render_email
from clinic.practice.models import Clinic, User

from .models import FIRST_LOOK_WITHIN, Flag, Level, Response, StaffAlert

STAFF_FLAG = "staff_flag"
HOUR = timedelta(hours=1)
# After the first mail: when staff are told again, as long as a flag of the alert's level or worse is open.
AGAIN_AFTER = {
    Level.EMERGENCY: (FIRST_LOOK_WITHIN[Level.EMERGENCY], 2 * HOUR, 8 * HOUR, 24 * HOUR, 48 * HOUR),
    Level.URGENT: (FIRST_LOOK_WITHIN[Level.URGENT], 24 * HOUR, 48 * HOUR),
}
ONE_SITTING = timedelta(minutes=10)  # a runner answers several pages within it; staff get one mail, not one a page


def alert_staff(*, response: Response, raised: list[Flag], now) -> list[StaffAlert]:
    """Plan mails to everybody of the staff who may see flags, about the worst of `raised`; none for level T alone.

    Nothing is added while an alert of this sitting, as bad or worse, has not been answered by anybody.
    """
    levels = {flag.current_level for flag in raised} & set(AGAIN_AFTER)
    if not levels:
        return []
    level = Level.EMERGENCY if Level.EMERGENCY in levels else Level.URGENT
    if _is_covered(response, level, now):
        return []
    alerts = [StaffAlert(response=response, recipient=user, level=level, planned_at=now) for user in find_recipients()]
    for alert in StaffAlert.objects.bulk_create(alerts):
        plan_until_seen(kind=STAFF_FLAG, subject_id=alert.pk, again_after=AGAIN_AFTER[level], now=now)
    return alerts


def find_recipients() -> list[User]:
    """Everybody who can log in to the admin and see flags there."""
    return staff_who_may("assessments.view_flag")


def _is_covered(response: Response, level: str, now) -> bool:
    as_bad = [Level.EMERGENCY] if level == Level.EMERGENCY else list(AGAIN_AFTER)
    earlier = response.alerts.filter(level__in=as_bad, planned_at__gt=now - ONE_SITTING).first()
    return earlier is not None and not response.flags.filter(staff_acknowledged_at__gte=earlier.planned_at).exists()


def why_unwanted(message: Message, now) -> str | None:
    """Why nobody needs this alert any more; None while a flag of its level or worse is open."""
    alert = StaffAlert.objects.select_related("recipient").filter(pk=message.subject_id).first()
    if alert is None:
        return "the intake is gone"
    if not alert.recipient.is_active:
        return "the recipient has left"
    levels = [Level.EMERGENCY] if alert.level == Level.EMERGENCY else list(AGAIN_AFTER)
    is_open = Flag.objects.open().filter(response=alert.response_id, level__in=levels).exists()
    return None if is_open else "somebody has seen to it"


def render_alert(message: Message, now) -> Email:
    """The mail: that something waits, since when, and where to look. Not who, not what."""
    alert = StaffAlert.objects.select_related("recipient").get(pk=message.subject_id)
    link = settings.SITE_URL + reverse("admin:assessments_response_change", args=[alert.response_id])
    context = {
        "is_emergency": alert.level == Level.EMERGENCY,
        "is_again": message.version > 1,
        "planned_at": alert.planned_at,
        "button_url": link,
        "button_text": "Open it in the admin",
    }
    return render_email(STAFF_FLAG, to=alert.recipient.email, context=context, clinic=Clinic.objects.current())


def register_message_kinds() -> None:
    """Tell the outbox about alerts. They do not wait for the morning."""
    register_kind(
        MessageKind(name=STAFF_FLAG, render=render_alert, still_wanted=why_unwanted, respects_quiet_hours=False)
    )
