"""A "not sure" that was left when its follow-up had just been asked: it counts as yes, also if the browser was closed on it.

Without a script a follow-up comes with the next page, so nothing is raised before the patient could say what they are not
sure about. A look is planned for when they have had the time; like every planned message it is a row that a sweep finds,
but it is never sent: it raises the flags that stand by then, and those have their own alerts.
"""

from datetime import datetime, timedelta

from django.db import transaction

from assessments.models import Response
from assessments.questionnaire.enablement import keep_enabled
from assessments.red_flag_rules.evaluation import evaluate
from assessments.red_flags.alerts import alert_staff
from assessments.red_flags.definitions import read_rules
from assessments.red_flags.flags import apply_flags
from clinic.outbox.messages.planning import plan_message
from clinic.outbox.models import Message

SECOND_LOOK = "intake_second_look"  # the row must not tell what was answered
TIME_TO_SAY = timedelta(minutes=15)
USELESS_AFTER = timedelta(days=2)


def plan_look(*, response: Response, now: datetime) -> None:
    """Look at the answers of `response` again in a while, in the caller's transaction."""
    plan_message(
        kind=SECOND_LOOK,
        subject_id=response.pk,
        version=int(now.timestamp()),
        patient=None,
        due_at=now + TIME_TO_SAY,
        not_after=now + USELESS_AFTER,
        now=now,
    )


@transaction.atomic
def raise_what_was_left(message: Message, now: datetime) -> str:
    """Raise what the answers of a response stand for by now, and say what came of it: the message itself is never sent."""
    responses = Response.objects.select_for_update(of=("self",)).select_related("questionnaire")
    response = responses.filter(pk=message.subject_id).first()
    if response is None:
        return "the intake is gone"
    fired = evaluate(read_rules(), keep_enabled(response.questionnaire.parsed, response.answers))
    raised = apply_flags(response=response, fired=fired, now=now)
    alert_staff(response=response, raised=raised, now=now)
    return "looked at"  # the row must not tell what was answered
