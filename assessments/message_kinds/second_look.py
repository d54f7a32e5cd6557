"""The second evaluation of an intake with a "not sure". It is never sent: its relevance check raises the flags."""

from datetime import datetime

from assessments.red_flags.left_unsure import SECOND_LOOK, raise_remaining_flags
from clinic.outbox.messages.kinds import Email, MessageKind, TemplateText
from clinic.outbox.models import Message


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    raise LookupError("a second evaluation is not sent")


KIND = MessageKind(
    name=SECOND_LOOK,
    title="Second check of an intake with a “not sure”",
    render=_render,
    relevance=raise_remaining_flags,
    respects_quiet_hours=False,
    permission="assessments.view_flag",
    is_missed_by_staff=True,
)
