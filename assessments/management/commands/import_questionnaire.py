from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from assessments.fhir.importing import PublishRefused, import_questionnaire, publish_questionnaire
from assessments.questionnaire.model import InvalidQuestionnaire


class Command(BaseCommand):
    help = (
        "Store a FHIR R4 or R5 Questionnaire that the clinic has the rights to, and print how it is asked differently."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--slug", default="", help="its short name here; by default made from its url or name")
        parser.add_argument("--publish", action="store_true", help="publish it to patients")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            imported = import_questionnaire(content=options["file"].read_bytes(), slug=options["slug"], now=now)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}") from None
        except InvalidQuestionnaire as error:
            raise CommandError(f"It cannot be asked. {error}") from None
        for notice in imported.notices:
            self.stdout.write(f"{notice.name}: {notice.link_id} {notice.text}")
        if options["publish"]:
            try:
                publish_questionnaire(questionnaire=imported.questionnaire, by=None, now=now)
            except PublishRefused as refused:
                raise CommandError(f"Stored, not published: {refused}") from None
        state = "stored" if imported.is_new else "was stored before"
        self.stdout.write(f"{imported.questionnaire} {state} as {imported.questionnaire.slug}")
