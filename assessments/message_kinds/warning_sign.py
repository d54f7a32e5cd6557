"""The email that alerts staff to an urgent answer. It has a time and a link, but no patient data and no answers."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from assessments.models import Level, StaffAlert
from assessments.red_flags.alerts import STAFF_FLAG, why_unwanted
from clinic.outbox.messages.kinds import Email, MessageKind, TemplateText
from clinic.outbox.messages.rendering import render_email
from clinic.outbox.models import Message
from clinic.practice.models import Clinic


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    alert = StaffAlert.objects.select_related("recipient").get(pk=message.subject_id)
    clinic = Clinic.objects.current()
    context = {
        "is_emergency": alert.level == Level.EMERGENCY,
        "is_again": message.version > 1,
        "is_to_clinic": alert.recipient is None,
        "planned_at": alert.planned_at,
        "button_url": settings.SITE_URL + reverse("admin:assessments_response_change", args=[alert.response_id]),
        "button_text": "Open it in the admin",
    }
    to = alert.recipient.email if alert.recipient else clinic.email
    return render_email(STAFF_FLAG, to=to, context=context, clinic=clinic)


KIND = MessageKind(
    name=STAFF_FLAG,
    title="To the clinic: a warning sign",
    render=_render,
    relevance=why_unwanted,
    respects_quiet_hours=False,
    permission="assessments.view_flag",
)
