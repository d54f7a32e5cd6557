"""Raise flags for a "not sure" whose follow-up was never answered, for example because the browser was closed.

Without JavaScript, the follow-up is shown only after the page is sent, so no flag is raised until the patient can
answer it. A second evaluation is planned as a message row, which the message sweep picks up when it is due. The row is
never sent. Instead, its relevance check raises the flags for the current answers, and these have their own alerts.
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

SECOND_LOOK = "intake_second_look"  # a neutral name, because the row must not reveal an answer
ANSWER_WITHIN = timedelta(minutes=15)
USELESS_AFTER = timedelta(days=2)


def plan_second_evaluation(*, response: Response, now: datetime) -> None:
    """Plan a second evaluation of `response` after ANSWER_WITHIN, in the caller's transaction."""
    plan_message(
        kind=SECOND_LOOK,
        subject_id=response.pk,
        version=int(now.timestamp()),
        patient=None,
        due_at=now + ANSWER_WITHIN,
        not_after=now + USELESS_AFTER,
        now=now,
    )


@transaction.atomic
def raise_remaining_flags(message: Message, now: datetime) -> str:
    """Update the flags of a response for its current answers and alert staff. Return the reason to skip the message."""
    responses = Response.objects.select_for_update(of=("self",)).select_related("questionnaire")
    response = responses.filter(pk=message.subject_id).first()
    if response is None:
        return "the intake is gone"
    fired = evaluate(read_rules(), keep_enabled(response.questionnaire.parsed, response.answers))
    raised = apply_flags(response=response, fired=fired, now=now)
    alert_staff(response=response, raised=raised, now=now)
    return "evaluated again"  # the row must not reveal an answer
