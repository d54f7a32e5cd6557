"""The email about a sign-in from a new browser, or a change of the account."""

from datetime import datetime

from django.urls import reverse

from clinic.audit.models import SignInEvent, SignInKind
from clinic.outbox.messages.alerts import staff_email
from clinic.outbox.messages.kinds import Email, MessageKind, TemplateText
from clinic.outbox.models import Message
from clinic.staff.account_mail import ACCOUNT_EVENT

WHAT = {
    SignInKind.SIGNED_IN: "Your account was used to sign in from a new browser",
    SignInKind.FAILED: "Several wrong codes were entered at the second step of your account",
    SignInKind.PASSWORD_CHANGED: "Your password was changed",
    SignInKind.FACTOR_ADDED: "A second step was added to your account",
    SignInKind.FACTOR_REMOVED: "A second step was removed from your account",
    SignInKind.RECOVERY_USED: "A recovery code of your account was used",
    SignInKind.ROLES_CHANGED: "What you may do here was changed",
    SignInKind.EMERGENCY: "Emergency access to your account was opened",
}
_events = SignInEvent.objects.select_related("user")


def _why_unwanted(message: Message, now: datetime) -> str | None:
    event = _events.filter(pk=message.subject_id.int).first()
    if event is None or event.user is None or not event.user.is_active:
        return "the account has been closed"
    return None


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    event = _events.get(pk=message.subject_id.int)
    return staff_email(
        ACCOUNT_EVENT,
        to=event.user.email if event.user else "",
        path=reverse("usersessions_list"),
        button_text="See where you are signed in",
        what=WHAT[SignInKind(event.kind)],
        browser=event.browser,
        at=event.at,
    )


KIND = MessageKind(
    name=ACCOUNT_EVENT,
    title="To a member of staff: news of their account",
    render=_render,
    relevance=_why_unwanted,
    respects_quiet_hours=False,
)
