"""The email that invites a member of staff."""

from datetime import datetime

from clinic.outbox.messages.alerts import staff_email
from clinic.outbox.messages.kinds import Email, MessageKind, TemplateText
from clinic.outbox.models import Message
from clinic.staff.account_mail import INVITATION
from clinic.staff.links import path_of, why_mail_unwanted
from clinic.staff.models import StaffLink


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    link = StaffLink.objects.select_related("invited_by").get(pk=message.subject_id)
    return staff_email(
        INVITATION,
        to=link.email,
        path=path_of(link),
        button_text="Choose a password",
        invited_by=link.invited_by,
        expires_at=link.expires_at,
    )


KIND = MessageKind(
    name=INVITATION,
    title="To a member of staff: the invitation",
    render=_render,
    relevance=why_mail_unwanted,
    respects_quiet_hours=False,
)
