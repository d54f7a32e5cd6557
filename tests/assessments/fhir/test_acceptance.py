"""New files are checked more strictly than stored ones: each fault is refused with the item and the reason."""

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from assessments.fhir_json.parsing import parse_questionnaire
from assessments.models import Questionnaire
from assessments.questionnaire.model import InvalidQuestionnaire
from tests.assessments.fhir_examples import calculated, extension, of, packed

STRING = {"linkId": "a", "type": "string", "text": "Say"}
NOTE = {"linkId": "note", "type": "display", "text": "Read this"}
WITHOUT_ITEMS = [of(), {key: value for key, value in of().items() if key != "item"}]
WITHOUT_QUESTIONS = [
    of(NOTE),
    of({"linkId": "g", "type": "group", "text": "Nothing", "item": []}),
    of({"linkId": "g", "type": "group", "text": "Notes", "repeats": True, "item": [NOTE]}),
    of({"linkId": "file", "type": "attachment", "text": "Your report"}),
    of({**STRING, "readOnly": True}),
    of({**STRING, "extension": [extension("questionnaire-hidden", valueBoolean=True)]}),
    of({**STRING, "extension": [calculated("1 + 1")]}),
]


@pytest.mark.django_db
@pytest.mark.parametrize("definition", WITHOUT_ITEMS + WITHOUT_QUESTIONS)
def test_file_without_a_question_for_patients_is_refused_by_admin_and_command(client, charlie, tmp_path, definition):
    client.force_login(charlie)
    file = tmp_path / "q.json"
    file.write_bytes(packed(definition))
    with file.open("rb") as content:
        page = client.post(reverse("admin:assessments_questionnaire_upload"), {"file": content})
    assert page.status_code == 422
    assert page.context["form"].errors["file"][0].startswith("This file was refused. it has no questions")
    with pytest.raises(CommandError, match="it has no questions"):
        call_command("import_questionnaire", file)
    assert not Questionnaire.objects.filter(slug="small").exists()


def test_questionnaire_without_items_is_refused_by_every_loader_and_one_of_notes_stays_readable():
    for definition in WITHOUT_ITEMS:
        with pytest.raises(InvalidQuestionnaire, match=r"^it has no questions$"):
            parse_questionnaire(definition)
    for definition in WITHOUT_QUESTIONS:  # may be stored by an earlier import
        assert parse_questionnaire(definition).pages
