"""A stored answer for the tests of encryption."""

from django.utils import timezone

from assessments.models import Questionnaire, Response
from clinic.practice.people.patients import find_or_register_patient

CANARY = "a hip that hurts at night"


def answer_something():
    now = timezone.now()
    ada = find_or_register_patient(name="Ada Kowalczyk", email="ada@runners.example", phone="", now=now)
    asked, _ = Questionnaire.objects.get_or_create(
        slug="q", version=1, defaults={"title": "Q", "definition": {}, "created_at": now}
    )
    return Response.objects.create(questionnaire=asked, patient=ada, answers={"where": [CANARY]}, created_at=now)
