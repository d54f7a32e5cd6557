"""Canaries as answers to every type of question: afterwards no log, queue, cache, session, URL or row shows them."""

import base64
import io
import json
import logging

import brotli
import pytest
import redis
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from assessments.fhir.importing import import_questionnaire, publish_questionnaire
from assessments.intake.responses import first_open_page, start_published_response
from assessments.models import Flag, StaffAlert
from assessments.red_flags.flags import acknowledge_flag
from clinic.celery import app
from clinic.outbox.messages.planning import SWEEP
from clinic.outbox.sending.claims import claim_due_messages
from clinic.outbox.sending.hand_over import send_claimed
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Proof
from clinic.web.logs import QuietFormatter, RedactLinks
from tests.assessments.answering import page_url, posted, url
from tests.assessments.fhir_examples import EVERYTHING, calculated, of, packed
from tests.assessments.pages.stored import rows_as_text
from tests.clinic.web.process import Process, cached_pages
from tests.world import NOW

pytestmark = [pytest.mark.django_db(transaction=True)]

OPTIONS = [{"valueCoding": {"code": "canary-code", "display": "canary words"}}, {"valueString": "nothing"}]
TOTAL = "%resource.item.item.where(linkId = 'integer').answer.value * 2"
ITEMS = [
    *({"linkId": kind, "type": kind, "text": f"A {kind}"} for kind in ("integer", "decimal", "quantity", "string")),
    *({"linkId": kind, "type": kind, "text": f"A {kind}"} for kind in ("text", "url", "date", "dateTime", "time")),
    {"linkId": "choice", "type": "choice", "text": "A choice", "answerOption": OPTIONS},
    {"linkId": "open", "type": "open-choice", "text": "An open choice", "answerOption": OPTIONS},
    {"linkId": "several", "type": "string", "text": "Several", "repeats": True},
    {"linkId": "total", "type": "integer", "text": "A total", "readOnly": True, "extension": [calculated(TOTAL)]},
]
GROUP = {"linkId": "again", "type": "group", "text": "Again", "repeats": True, "item": [{**ITEMS[3], "linkId": "copy"}]}
DEFINITION = of(
    {"linkId": "all", "type": "group", "text": "All", "item": ITEMS}, GROUP, title="Canaries", name="Canaries"
)
TYPED = {
    "integer": ["771731"],
    "decimal": ["7.717731"],
    "quantity": ["77.171731"],
    "string": ["canary-string"],
    "text": ["canary-text"],
    "url": ["https://canary-url.example/"],
    "date": ["07/17/1931"],
    "dateTime": ["1931-07-18T07:31"],
    "time": ["07:31:43.977717"],
    "choice": ["canary-code"],
    "open.other": ["canary-other"],
    "several": ["canary-one\r\ncanary-two"],
    "copy": ["canary-copy"],
    "again~2?": ["true"],
    "copy~again.2": ["canary-second"],
}
MARKS = ("canary", "771731", "1543462", "7.717731", "77.171731", "1931-07", "07/17/1931", ".977717")
SHOWN = (*(value for name in ("string", "text", "copy") for value in TYPED[name]), "771731", "1543462", "canary words")


@pytest.fixture
def written():
    """Yield the lines that the site would write to its log at DEBUG level."""
    lines, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(lines), root.level
    handler.setFormatter(QuietFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(RedactLinks())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def broker():
    with redis.Redis.from_url(app.conf.broker_url) as client:
        client.flushdb()
        yield client


def queued(broker) -> str:
    """Return all keys and values of the broker, with the bodies of tasks decoded."""
    read = {
        b"list": lambda key: broker.lrange(key, 0, -1),
        b"set": broker.smembers,
        b"hash": lambda key: list(broker.hgetall(key).items()),
        b"zset": lambda key: broker.zrange(key, 0, -1),
        b"string": lambda key: [broker.get(key)],
    }
    held = {key: read[broker.type(key)](key) for key in broker.scan_iter()}
    tasks = [json.loads(task) for task in held.get(b"celery", [])]
    bodies = [base64.b64decode(task["body"]).decode() for task in tasks]
    return repr(held) + "\n".join(bodies)


def public_pages() -> str:
    """Return the cached public pages."""
    pages = cached_pages()
    packed = [brotli.decompress(one.content) if one.headers.get("Content-Encoding") else one.content for one in pages]
    return "\n".join(one.decode() for one in packed)


def sessions() -> str:
    return "\n".join(json.dumps(session.get_decoded()) for session in Session.objects.all())


def answer_all(client, token, response):
    """Answer every page, first wrongly, then correctly, to the end, and return all URLs that the browser visited."""
    addresses = []
    wrong = posted(client.get(page_url(token, "all")).text, {name: ["canary-wrong"] for name in TYPED})
    assert client.post(page_url(token, "all"), wrong).status_code == 200
    while page := first_open_page(response):
        address = page_url(token, page.link_id)
        answered = client.get(address)
        while answered.status_code == 200:
            given = {**posted(answered.text, TYPED), "open.other": TYPED["open.other"]}
            answered = client.post(address, given)
            assert not (answered.context and answered.context["form"].errors)
        addresses += [address, answered.url]
        response.refresh_from_db()
    checked = client.get(url("check", token))
    assert [mark for mark in SHOWN if mark not in checked.text] == []  # the canaries were saved
    addresses.append(client.post(url("check", token)).url)
    return addresses


def test_answers_leave_no_trace_outside_their_column(
    client, loaded, alice, charlie, written, broker, post_office, monkeypatch, tmp_path, capsys, settings
):
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    public = Process()  # public pages are cached in this process until the end of the test
    public.read("/learn/")
    stored = import_questionnaire(content=packed(DEFINITION), now=NOW).questionnaire
    publish_questionnaire(questionnaire=stored, by=charlie, now=NOW)
    response = start_published_response(questionnaire_slug="canaries", patient=alice, now=NOW)
    token = issue_link(
        patient=alice,
        purpose=LinkPurpose.INTAKE,
        proof=Proof.MAILED,
        subject_id=response.pk,
        expires_at=NOW.replace(year=2099),
        now=timezone.now(),
    )
    addresses = answer_all(client, token, response)

    screen = reverse("assessments:screen_page", args=["safety"])  # a visitor with an emergency who is not a patient yet
    client.post(reverse("assessments:screen"), {"next": reverse("home")})
    shown = client.get(screen)
    assert client.post(screen, posted(shown.text, {"rf.leg": ["saddle"]})).status_code in (200, 303)

    danger = start_published_response(questionnaire_slug="hip-running-intake", patient=alice, now=NOW)
    danger_token = issue_link(
        patient=alice,
        purpose=LinkPurpose.INTAKE,
        proof=Proof.MAILED,
        subject_id=danger.pk,
        expires_at=NOW.replace(year=2099),
        now=timezone.now(),
    )
    address = page_url(danger_token, "safety")
    client.post(address, {"seen": ["rf.leg", "about.age"], "rf.leg": ["saddle"], "about.age": ["21-49"]})
    addresses.append(client.get(url("stop", danger_token)).request["PATH_INFO"])
    assert StaffAlert.objects.exists()
    told = queued(broker)
    assert SWEEP in told  # a worker was woken
    for message in claim_due_messages(now=timezone.now(), limit=50):
        send_claimed(message, now=timezone.now())
    assert post_office.mails
    mails = "\n".join(mail.as_string() + mail.get_body(("plain",)).get_content() for mail in post_office.mails)

    client.force_login(charlie)
    summary = client.get(reverse("admin:assessments_response_change", args=[response.pk])).text
    assert [mark for mark in SHOWN if mark not in summary] == []
    client.get(reverse("admin:assessments_response_changelist"), {"q": "alice"})
    exported = client.get(reverse("admin:assessments_response_export", args=[response.pk]))
    acknowledge_flag(flag=Flag.objects.get(), by=charlie, now=timezone.now())
    call_command("export_responses", tmp_path / "all.ndjson")
    file = tmp_path / "one.json"
    file.write_bytes(exported.content)
    options = {"patient": str(alice.pk), "questionnaire": f"canaries:{stored.version}"}
    call_command("import_response", file, **options)
    said = "".join(capsys.readouterr())

    errors = fail_everywhere(client, token, monkeypatch)
    public.read("/sitemap.xml")
    traces = {
        "tables": rows_as_text(),
        "sessions": sessions(),
        "log": written.getvalue(),
        "broker": told + queued(broker),
        "mails": mails,
        "addresses": "\n".join(addresses),
        "commands": said,
        "error pages": errors,
        "public pages": public_pages(),
    }
    assert all(traces.values()), "an empty trace proves nothing"
    assert {place: [mark for mark in (*MARKS, "saddle") if mark in text] for place, text in traces.items()} == {
        place: [] for place in traces
    }


def fail_everywhere(client, token, monkeypatch) -> str:
    """Return the error pages that a patient can see, with answers in both the request and the exception."""

    def fail(**kwargs):
        raise RuntimeError(f"failed on {kwargs['answers']}")

    client.raise_request_exception = False
    form = {"seen": ["string"], "string": ["canary-string"]}
    pages = [client.post(page_url("x" * 43, "all"), form), client.post(page_url(token, "nowhere"), form)]
    pages.append(client.post("/nowhere/", form))
    with monkeypatch.context() as patch:
        patch.setattr("assessments.pages.intake.save_page_as_seen", fail)
        pages.append(client.post(page_url(token, "all"), form))
    assert [page.status_code for page in pages] == [404, 404, 404, 500]
    return "\n".join(page.text for page in pages)


def test_every_type_of_question_has_a_canary():
    kinds = {item["type"] for item in ITEMS}
    example = {item.get("type") for page in EVERYTHING["item"] for item in [page, *page.get("item", [])]}
    assert example - kinds == {
        "group",
        "display",
        "boolean",
        "attachment",
        "reference",
    }  # types that hold no answer text
