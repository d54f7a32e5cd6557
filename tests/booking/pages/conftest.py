import pytest

from assessments.red_flags.definitions import load_questionnaires
from tests.world import NOW, book


@pytest.fixture
def at_now(time_machine):
    """Stop the clock at NOW."""
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def visit(evaluation):
    load_questionnaires(now=NOW)
    evaluation.intake_slug = "hip-running-intake"
    evaluation.save()
    return book(evaluation)
