"""The email with the link for a new password. It is sent only if an account has the address."""

from datetime import datetime

from clinic.outbox.messages.alerts import staff_email
from clinic.outbox.messages.kinds import Email, MessageKind, TemplateText
from clinic.outbox.models import Message
from clinic.staff.account_mail import RESET
from clinic.staff.links import path_of, why_mail_unwanted
from clinic.staff.models import StaffLink


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    link = StaffLink.objects.select_related("invited_by").get(pk=message.subject_id)
    return staff_email(
        RESET,
        to=link.email,
        path=path_of(link),
        button_text="Choose a new password",
        expires_at=link.expires_at,
        sent_by=link.invited_by,
    )


KIND = MessageKind(
    name=RESET,
    title="To a member of staff: the link for a new password",
    render=_render,
    relevance=why_mail_unwanted,
    respects_quiet_hours=False,
)
