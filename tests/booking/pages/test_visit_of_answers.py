"""The link from the end of the questions back to their visit. It proves no more than the link to the questions."""

from datetime import timedelta

import pytest
from django.urls import reverse

from assessments.models import Response, ResponseStatus
from booking.models import Appointment
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Proof
from tests.factories import PatientFactory
from tests.world import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def link_of(response, patient, proof=Proof.SHOWN):
    until = NOW + timedelta(days=30)
    return issue_link(
        patient=patient, purpose=LinkPurpose.INTAKE, proof=proof, subject_id=response.pk, expires_at=until, now=NOW
    )


@pytest.fixture
def answered(visit):
    Response.objects.update(status=ResponseStatus.COMPLETED, saved_at=NOW, completed_at=NOW)
    return visit.intake


@pytest.mark.parametrize("proof", [Proof.SHOWN, Proof.MAILED])
def test_end_of_the_questions_leads_to_their_visit(client, visit, answered, proof):
    token = link_of(answered, visit.patient, proof)
    way = reverse("booking:visit_of_answers", args=[token])
    assert f'action="{way}"' in client.get(reverse("assessments:done", args=[token])).text
    led = client.post(way)
    assert led.status_code == 303
    page = client.get(led.url)
    assert page.context["appointment"] == visit and page.context["is_mailed"] == (proof == Proof.MAILED)
    assert client.get(way).status_code == 405


def test_link_of_another_patient_leads_nowhere(client, visit, answered):
    way = reverse("booking:visit_of_answers", args=[link_of(answered, PatientFactory())])
    assert client.post(way).status_code == 404


def test_visit_that_is_cancelled_is_not_offered(client, visit, answered):
    token = link_of(answered, visit.patient)
    Appointment.objects.update(status=Appointment.Status.CANCELLED, cancelled_at=NOW)
    assert "See your visit" not in client.get(reverse("assessments:done", args=[token])).text
