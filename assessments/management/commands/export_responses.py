import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from assessments.fhir.exporting import export_bundle, export_ndjson
from assessments.models import Response, ResponseStatus
from clinic.audit.access import record_read


class Command(BaseCommand):
    help = "Write every finished response as FHIR R4: NDJSON with one QuestionnaireResponse per line, or a Bundle."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--slug", default="", help="only responses to this questionnaire")
        parser.add_argument("--bundle", action="store_true", help="one Bundle instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        finished = Response.objects.filter(status=ResponseStatus.COMPLETED).select_related("questionnaire")
        if options["slug"]:
            finished = finished.filter(questionnaire__slug=options["slug"])
        responses = list(finished.order_by("completed_at"))
        # Only the owner may read the file. It is opened first, so that the audit log has no export whose file
        # could not be opened.
        with open(
            options["file"], "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)
        ) as file:
            for response in responses:
                record_read(actor=None, subject=response, patient_ids=[response.patient_id], now=now)
            if options["bundle"]:
                json.dump(export_bundle(responses, now=now), file, ensure_ascii=False)
            else:
                file.writelines(export_ndjson(responses))
        self.stdout.write(f"{len(responses)} responses")
