import json
from datetime import timedelta

import pytest
from django.utils import timezone

from assessments.fhir_json.parsing import parse_questionnaire
from assessments.intake.responses import start_published_response
from assessments.red_flags.definitions import FOLDER, load_questionnaires, read_rules
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Proof
from tests.world import NOW


@pytest.fixture(scope="session")
def intake():
    """The current version of the hip and running intake, parsed."""
    return parse_questionnaire(json.loads((FOLDER / "hip_running_intake_v2.json").read_text()))


@pytest.fixture(scope="session")
def first_intake():
    """The first version of the intake, which some patients have answered or are still answering."""
    return parse_questionnaire(json.loads((FOLDER / "hip_running_intake_v1.json").read_text()))


@pytest.fixture(scope="session")
def call_intake():
    return parse_questionnaire(json.loads((FOLDER / "call_intake_v1.json").read_text()))


@pytest.fixture(scope="session")
def rules():
    return read_rules()


@pytest.fixture
def loaded(clinic):
    return load_questionnaires(now=NOW)


@pytest.fixture
def response(loaded, alice):
    """Alice's intake without answers."""
    return start_published_response(questionnaire_slug="hip-running-intake", patient=alice, now=NOW)


@pytest.fixture
def token(response, alice):
    """The token of a link to Alice's intake."""
    now = timezone.now()
    return issue_link(
        patient=alice,
        purpose=LinkPurpose.INTAKE,
        proof=Proof.MAILED,
        subject_id=response.pk,
        expires_at=now + timedelta(days=30),
        now=now,
    )
