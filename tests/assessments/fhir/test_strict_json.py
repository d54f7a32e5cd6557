"""Invalid JSON, and JSON that cannot be stored, is refused with a reason by the command and at upload."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from assessments.fhir.strict_json import DEEPEST, MOST_BYTES, JsonRefused, load_json
from assessments.models import Questionnaire
from tests.assessments.fhir_examples import packed

ASKED = {"linkId": "a", "type": "string", "text": "TEXT"}
FILE = {"resourceType": "Questionnaire", "name": "Small", "status": "active", "item": [ASKED]}


def with_text(raw: str) -> bytes:
    """Return the file with `raw` in place of a text."""
    return json.dumps(FILE).replace("TEXT", raw).encode()


def with_more(raw: str) -> bytes:
    return json.dumps(FILE).replace('"status"', f'{raw}, "status"').encode()


REFUSED = {
    "infinite number": (with_more('"x": 1e999'), "a number that is too large"),
    "infinite negative number": (with_more('"x": -1E+999'), "a number that is too large"),
    "endless number": (with_more('"x": ' + "9" * 5000), "a number that is too long"),
    "endless fraction": (with_more('"x": 0.' + "1" * 5000), "too large or too long"),
    "NaN": (with_more('"x": NaN'), "NaN is not a number"),
    "Infinity": (with_more('"x": -Infinity'), "Infinity is not a number"),
    "lone surrogate": (with_text(r"a\ud800"), "half a character"),
    "second half": (with_text(r"\udfffz"), "half a character"),
    "lone surrogate in a key": (with_more(r'"x\ud834": 1'), "half a character"),
    "NUL": (with_text(r"a\u0000b"), "a control character"),
    "bell": (with_text(r"\u0007"), "a control character"),
    "C1": (with_text(r"\u0085"), "a control character"),
    "UTF-16 with its mark": (json.dumps(FILE).encode("utf-16"), "not UTF-8"),
    "UTF-16 without": (json.dumps(FILE).encode("utf-16-le"), "not UTF-8"),
    "UTF-32": (json.dumps(FILE).encode("utf-32"), "not UTF-8"),
    "Latin-1": (with_text("é").decode().encode("latin-1"), "not UTF-8"),
    "UTF-16 with an escaped NUL": (with_text(r"\u0000").decode().encode("utf-16"), "not UTF-8"),
    "nothing but space": (b" \n ", "empty"),
    "half a file": (packed()[:-20], "not JSON"),
    "same key twice": (with_more('"name": "Other"'), "'name' twice"),
    "same key twice, deep": (with_text('", "text": "Other'), "'text' twice"),
    "deep lists": (b"[" * 100_000, "levels|FHIR"),
    "deep objects": (with_more('"x": ' + '{"x": ' * 100 + "1" + "}" * 100), f"more than {DEEPEST} levels"),
    "a list": (b"[1]", "not a FHIR resource"),
    "a text": (b'"Questionnaire"', "not a FHIR resource"),
    "too large": (b" " * (MOST_BYTES + 1), "larger than"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_file_is_refused_with_the_reason(name):
    content, words = REFUSED[name]
    with pytest.raises(JsonRefused, match=words):
        load_json(content)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + with_text("é"),
        with_text(r"\ud83d\ude00 both halves"),
        with_text(r"a line\nand\ta tab\r\n"),
        with_text(r"\\u0000 as it is written"),
        with_more('"x": 1e300, "y": 0.10000000000000001, "z": -12'),
        with_more('"x": ' + "[" * (DEEPEST - 2) + "]" * (DEEPEST - 2)),
    ],
)
def test_file_with_rare_but_valid_json_is_read(content):
    assert load_json(content)["name"] == "Small"


@pytest.mark.django_db
@pytest.mark.parametrize("name", REFUSED)
def test_upload_reports_what_is_wrong_with_the_file(client, charlie, name):
    client.force_login(charlie)
    content, words = REFUSED[name]
    page = client.post(
        reverse("admin:assessments_questionnaire_upload"), {"file": SimpleUploadedFile("q.json", content)}
    )
    assert page.status_code == 422
    assert not Questionnaire.objects.exists()
    (said,) = page.context["form"].errors["file"]
    assert re.search(words, said)


@pytest.mark.django_db
def test_upload_of_an_empty_file_is_refused_with_the_reason(client, charlie):
    client.force_login(charlie)
    page = client.post(reverse("admin:assessments_questionnaire_upload"), {"file": SimpleUploadedFile("q.json", b"")})
    assert page.status_code == 422
    assert "empty" in page.text


@pytest.mark.django_db
def test_upload_with_a_byte_order_mark_is_accepted(client, charlie):
    client.force_login(charlie)
    file = SimpleUploadedFile("q.json", b"\xef\xbb\xbf" + packed())
    assert client.post(reverse("admin:assessments_questionnaire_upload"), {"file": file}).status_code == 303
    assert Questionnaire.objects.get().slug == "everything"


@pytest.mark.django_db
def test_command_reports_what_is_wrong_with_the_file(tmp_path):
    for name, (content, _) in REFUSED.items():
        file = tmp_path / "q.json"
        file.write_bytes(content)
        with pytest.raises(CommandError, match="It cannot be asked"):
            call_command("import_questionnaire", file)
        assert not Questionnaire.objects.exists(), name
