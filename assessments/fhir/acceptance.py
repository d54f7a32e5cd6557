"""Check what only a new file must meet, beyond `check_structure`. Stored questionnaires are not checked, and keep working."""

from assessments.questionnaire.model import InvalidQuestionnaire, Questionnaire


def check_new(parsed: Questionnaire) -> None:
    """Raise InvalidQuestionnaire for the first fault of a new file."""
    if not any(item.is_answerable and not item.is_added for item in parsed.items.values()):
        raise InvalidQuestionnaire("it has no questions that a patient can answer")
