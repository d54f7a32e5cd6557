"""The linkIds in our own questionnaires that code refers to, a check for them, and entry limits. Pure.

Except for demo data, no other module contains a linkId. The check runs on the newest version of each shipped
questionnaire when it is loaded, and on a version before it is published. Earlier versions may lack a question, so code
reads answers with `.get`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from assessments.questionnaire.model import Questionnaire

HIP_INTAKE = "urn:runclinic:questionnaire:hip-running-intake"
CALL_INTAKE = "urn:runclinic:questionnaire:call-intake"

AGE, UNDER_18 = "about.age", "under-18"
BODY_SITE = "loc.map"
ONSET_DATE = "on.date"
PAIN_NOW, WORST_PAIN = "pain.now", "pain.worst24"
LONGEST_RUN, RUN_AT_ONSET = "run.longest30", "run.last_long"
RACE_DATE = "run.race_date"
GUARDIAN_NAME, GUARDIAN_CONSENT = "guard.name", "guard.consent"
GUARDIAN_RELATION, NO_GUARDIAN = "guard.relation", "other"

SCREEN_PAGES = ("safety", "signs", "where")  # of the hip intake, asked before booking: seven questions plus follow-ups
# Prefixes of the linkIds in a section.
RUNNING, GOALS, CONFIDENCE = "run.", "goal", "psy."


@dataclass(frozen=True, slots=True)
class KnownQuestions:
    """The parts of one questionnaire that code uses: {linkId: answer codes}, pages, and prefixes of linkIds."""

    questions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pages: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


KNOWN = {
    HIP_INTAKE: KnownQuestions(
        questions={
            AGE: (UNDER_18,),
            GUARDIAN_RELATION: (NO_GUARDIAN,),
            **dict.fromkeys((BODY_SITE, ONSET_DATE, RACE_DATE, LONGEST_RUN, RUN_AT_ONSET, PAIN_NOW, WORST_PAIN), ()),
            **dict.fromkeys((GUARDIAN_NAME, GUARDIAN_CONSENT), ()),
        },
        pages=SCREEN_PAGES,
        prefixes=(RUNNING, GOALS, CONFIDENCE),
    ),
    CALL_INTAKE: KnownQuestions(questions={AGE: (UNDER_18,), BODY_SITE: (), GUARDIAN_NAME: ()}),
}


@dataclass(frozen=True, slots=True)
class EntryRule:
    """Limits of one answer, in the fields of `Item`."""

    minimum: str | None = None
    maximum: str | None = None
    refused: tuple[tuple[str, str], ...] = ()


# Limits for answers to our own questionnaires, in every version. A minimum or maximum in the file overrides ours.
# Stored answers are not checked again against limits relative to today.
ENTRY_RULES: dict[tuple[str, str], EntryRule] = {
    (HIP_INTAKE, ONSET_DATE): EntryRule(minimum="today() - 2 years", maximum="today()"),
    (HIP_INTAKE, RACE_DATE): EntryRule(minimum="today()", maximum="today() + 3 years"),
    (HIP_INTAKE, GUARDIAN_RELATION): EntryRule(
        refused=(
            (
                NO_GUARDIAN,
                "Only a parent or legal guardian can agree for a runner under 18. Ask one of them to fill in this page with you, "
                "or call us.",
            ),
        )
    ),
}


def known_of(canonical: str) -> KnownQuestions:
    """Return the parts of the questionnaire `canonical` that code uses; empty if it is not one of ours."""
    return KNOWN.get(canonical, KnownQuestions())


def find_missing(known: KnownQuestions, questionnaire: Questionnaire) -> dict[str, str]:
    """Return {name: problem} for each linkId, page or prefix of `known` that `questionnaire` lacks. Empty if none."""
    faults = {}
    for link_id, codes in known.questions.items():
        item = questionnaire.items.get(link_id)
        if item is None or not item.is_question:
            faults[link_id] = f"the question {link_id} is missing"
        elif lost := set(codes) - {option.code for option in item.options}:
            faults[link_id] = f"the question {link_id} lacks the answer {min(lost)}"
    pages = {page.link_id for page in questionnaire.pages}
    faults |= {page: f"the page {page} is missing" for page in known.pages if page not in pages}
    for prefix in known.prefixes:
        if not any(item.is_question and name.startswith(prefix) for name, item in questionnaire.items.items()):
            faults[prefix] = f"there is no question whose linkId begins with {prefix}"
    return faults


def is_minor(answers: Mapping[str, list]) -> bool:
    """Return whether the runner's age was answered as under 18."""
    return UNDER_18 in answers.get(AGE, ())
