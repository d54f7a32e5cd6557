from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.red_flag_rules.evaluation import RulesInvalid
from assessments.red_flags.definitions import VersionAnswered, load_questionnaires


class Command(BaseCommand):
    help = "Publish the questionnaires that come with the product. Idempotent; run it after every deploy."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_questionnaires(now=timezone.now())
        except VersionAnswered as error:
            raise CommandError(
                f"{error} has been answered and cannot change; give the new text a new version."
            ) from None
        except (InvalidQuestionnaire, RulesInvalid) as error:
            raise CommandError(f"A definition cannot be asked: {error}") from None
        for questionnaire in loaded:
            if options["verbosity"] > 0:
                self.stdout.write(f"{questionnaire}")
