from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from assessments.fhir.importing import ResponseRefused, import_response
from assessments.fhir.strict_json import JsonRefused, load_json
from assessments.models import Questionnaire
from clinic.practice.models import Patient


class Command(BaseCommand):
    help = "Store a FHIR QuestionnaireResponse as a patient's answers, or print the linkId and reason of each problem."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--patient", required=True, help="the patient's id")
        parser.add_argument("--questionnaire", required=True, help="slug:version, such as hip-running-intake:1")

    def handle(self, *args: Any, **options: Any) -> None:
        slug, _, version = options["questionnaire"].partition(":")
        questionnaire = Questionnaire.objects.filter(slug=slug, version=int(version or 1)).first()
        patient = Patient.objects.filter(pk=options["patient"]).first()
        if questionnaire is None or patient is None:
            raise CommandError("There is no such questionnaire or patient.")
        try:
            resource = load_json(options["file"].read_bytes())
            response = import_response(
                questionnaire=questionnaire, patient=patient, resource=resource, now=timezone.now()
            )
        except JsonRefused as error:
            raise CommandError(str(error)) from None
        except ResponseRefused as refused:
            problems = "\n".join(f"{problem.link_id}: {problem.reason}" for problem in refused.problems)
            raise CommandError(f"Nothing was stored:\n{problems}") from None
        self.stdout.write(f"{response.pk}")
