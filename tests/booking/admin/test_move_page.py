"""The page that moves a visit: who may, what it refuses and keeps, where it returns to, and the undo after it."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from booking.actions.change import move_appointment
from booking.models import Appointment, Service
from booking.schedule.visit_links import visit_path
from clinic.outbox.models import Message
from clinic.responses.admin_addresses import local_back
from tests.clinic.letters import sweep
from tests.factories import UserFactory
from tests.pages import text_of
from tests.world import EVERY_RULE, HOUR, MINUTE, NINE_ON_TUESDAY, NOW, book, make_therapist

pytestmark = pytest.mark.django_db

AT_ELEVEN = NINE_ON_TUESDAY + 2 * HOUR
ELEVEN, TODAY = "2026-12-01T11:00", "/admin/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def sam(client, db):
    """Sam of the front desk, signed in."""
    sam = UserFactory(name="Sam Front", roles=["front-desk"])
    client.force_login(sam)
    return sam


@pytest.fixture
def visit(evaluation):
    Service.objects.filter(pk=evaluation.pk).update(other_minutes=[60])
    return book(evaluation)


def move_page(visit) -> str:
    return reverse("admin:booking_appointment_move", args=[visit.pk])


def page_of(visit) -> str:
    return reverse("admin:booking_appointment_change", args=[visit.pk])


def undo_page(visit) -> str:
    return reverse("admin:booking_appointment_act", args=[visit.pk, "undo-move"])


def drop(visit, **more) -> dict:
    """What the calendar posts."""
    return {"therapist": visit.therapist_id, "starts_at": ELEVEN, "version": visit.shown} | more


def reload(visit) -> Appointment:
    return Appointment.objects.get(pk=visit.pk)


def test_drop_moves_the_visit_returns_to_the_calendar_and_is_undone_by_one_press(client, sam, visit):
    answer = client.post(move_page(visit), drop(visit, back="/admin/booking/appointment/?when=all"))
    assert (answer.status_code, answer["Location"]) == (303, f"/admin/booking/appointment/?when=all#visit-{visit.pk}")
    moved = reload(visit)
    assert (moved.starts_at, moved.minutes) == (AT_ELEVEN, 45)
    page = client.get(page_of(visit)).content.decode()
    form = re.search(rf'action="{undo_page(visit)}".*?</form>', page, re.DOTALL)[0]
    assert f'value="{moved.shown}"' in form
    assert page.index(undo_page(visit)) < page.index('id="appointment_form"'), "a form inside a form is not sent"
    undone = client.post(undo_page(visit), {"version": moved.shown, "back": TODAY})
    assert (undone.status_code, undone["Location"]) == (303, TODAY)
    assert reload(visit).starts_at == NINE_ON_TUESDAY
    assert undo_page(visit) not in client.get(page_of(visit)).content.decode()
    assert not Message.objects.filter(kind="booking_moved", state="waiting").exists()


def silence(client, visit, **more):
    url = reverse("admin:booking_appointment_act", args=[visit.pk, "silence-move"])
    return client.post(url, {"version": reload(visit).shown} | more, follow=True)


def test_patient_is_not_told_of_a_drop_if_staff_choose_it_in_the_undo_notice(client, sam, visit, clock, post_office):
    sweep(now=NOW)
    post_office.mails.clear()
    link = visit_path(visit, now=NOW)
    client.post(move_page(visit), drop(visit))
    assert Message.objects.filter(kind="booking_moved", state="waiting").exists()
    assert "silence-move" in client.get(page_of(visit)).text
    for _ in range(2):
        text = text_of(silence(client, visit))
        assert "The patient is not told" in text and "without telling the patient" in text
    assert undo_page(visit) in client.get(page_of(visit)).text
    assert "silence-move" not in client.get(page_of(visit)).text
    clock.shift(4 * MINUTE)
    sweep(now=NOW + 4 * MINUTE)
    assert not post_office.mails and reload(visit).starts_at == AT_ELEVEN
    assert client.get(link).status_code == 200
    assert Message.objects.filter(kind__startswith="booking_reminder", version=2, state="waiting").exists()


def test_patient_without_any_message_gets_a_confirmation_with_the_new_time(client, sam, visit, clock, post_office):
    client.post(move_page(visit), drop(visit))
    silence(client, visit)
    sweep(now=NOW + 4 * MINUTE)
    [mail] = post_office.mails
    assert Message.objects.get(state="sent").kind == "booking_booked" and "11:00" in mail.as_string()


def test_patient_who_has_been_told_cannot_be_untold(client, sam, visit, clock, post_office):
    client.post(move_page(visit), drop(visit))
    clock.shift(3 * MINUTE)
    assert "too late" in text_of(silence(client, visit))
    assert not reload(visit).events.last().is_silent
    stale = text_of(silence(client, visit, version="1:booked"))
    assert "changed after you opened" in stale


def test_silenced_move_is_undone_like_any(client, sam, visit, post_office):
    sweep(now=NOW)
    client.post(move_page(visit), drop(visit))
    silence(client, visit)
    client.post(undo_page(visit), {"version": reload(visit).shown})
    assert reload(visit).starts_at == NINE_ON_TUESDAY
    assert not Message.objects.filter(kind="booking_moved", state="waiting").exists()


def test_undo_notice_has_the_clinics_clock_and_the_patients_beside_it(client, sam, visit):
    client.post(move_page(visit), drop(visit))
    assert "By the patient’s clock" not in text_of(client.get(page_of(visit)))
    Appointment.objects.filter(pk=visit.pk).update(mode="video", visitor_time_zone="America/Chicago")
    text = text_of(client.get(page_of(visit)))
    assert "9:00 AM EST to Tuesday, December 1, 11:00 AM EST" in text
    assert "By the patient’s clock: 10:00 AM CST." in text


def test_undo_is_refused_and_no_longer_offered_after_three_minutes(client, sam, visit, clock):
    client.post(move_page(visit), drop(visit))
    clock.shift(3 * MINUTE)
    assert undo_page(visit) not in client.get(page_of(visit)).content.decode()
    client.post(undo_page(visit), {"version": reload(visit).shown})
    assert reload(visit).starts_at == AT_ELEVEN


def test_refused_drop_says_why_keeps_what_was_sent_and_links_back(client, sam, visit, evaluation):
    book(evaluation, starts_at=AT_ELEVEN, name="Bob Walker")
    page = client.post(move_page(visit), drop(visit, back=TODAY, notify="no", minutes="60", despite_rules="on"))
    form = page.context["form"]
    assert page.status_code == 200 and form.errors["starts_at"]
    assert [form[name].value() for name in ("starts_at", "notify", "minutes", "back")] == [ELEVEN, "no", "60", TODAY]
    assert page.context["back"] == TODAY
    assert reload(visit).version == 1


def test_refused_drop_without_length_and_choice_shows_them_unchanged(client, sam, visit, evaluation):
    book(evaluation, starts_at=AT_ELEVEN, name="Bob Walker")
    form = client.post(move_page(visit), drop(visit)).context["form"]
    assert (form["minutes"].value(), form["notify"].value()) == (str(visit.minutes), "yes")


def test_broken_rules_are_shown_with_the_checkbox_that_overrides_them(client, sam, visit):
    early = drop(visit, starts_at="2026-12-01T07:00", back=TODAY)
    page = client.post(move_page(visit), early)
    assert page.context["form"].errors["despite_rules"]
    assert 'type="checkbox" name="despite_rules"' in page.content.decode()
    assert client.post(move_page(visit), early | {"despite_rules": "on"}).status_code == 200, "no rule was shown"
    confirmed = early | {"despite_rules": "on", "rules_shown": page.context["form"]["rules_shown"].value()}
    assert client.post(move_page(visit), confirmed)["Location"] == f"{TODAY}#visit-{visit.pk}"
    assert reload(visit).starts_at == NINE_ON_TUESDAY - 2 * HOUR


def test_rule_that_a_move_breaks_since_the_page_was_shown_is_asked_again(client, sam, visit, evaluation):
    confirmed = drop(visit, starts_at="2026-12-01T07:00", despite_rules="on", rules_shown="hours")
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    own = {"patient": visit.patient, "therapist": nora, "by": sam}
    book(evaluation, starts_at=NINE_ON_TUESDAY - 2 * HOUR, despite_rules=EVERY_RULE, **own)
    form = client.post(move_page(visit), confirmed).context["form"]
    assert form["rules_shown"].value() == "hours own_visit" and not form["despite_rules"].value()
    assert reload(visit).version == 1


def test_staff_move_a_visit_into_the_notice_of_visitors_without_a_question(client, sam, visit):
    answer = client.post(move_page(visit), drop(visit, starts_at="2026-11-23T11:00"), follow=True)
    assert "sooner than patients can book" in text_of(answer)
    assert reload(visit).starts_at == NOW + HOUR


def test_staff_who_move_a_visit_into_the_past_are_asked(client, sam, visit):
    form = client.post(move_page(visit), drop(visit, starts_at="2026-11-23T09:00")).context["form"]
    assert form["rules_shown"].value() == "notice" and reload(visit).version == 1


def test_drop_from_a_stale_page_is_refused_with_the_present_time(client, sam, visit):
    stale = drop(visit)
    move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + 5 * HOUR, now=NOW)
    page = client.post(move_page(visit), stale)
    assert page.status_code == 200 and reload(visit).starts_at == NINE_ON_TUESDAY + 5 * HOUR
    assert page.context["form"].data["version"] == reload(visit).shown


@pytest.mark.parametrize("notify", ["no", "yes", "", None])
def test_only_an_explicit_no_moves_silently(client, sam, visit, notify):
    client.post(move_page(visit), drop(visit) | ({} if notify is None else {"notify": notify}))
    assert reload(visit).events.last().is_silent == (notify == "no")
    history = text_of(client.get(page_of(visit)))
    assert ("without telling the patient" in history) == (notify == "no")


def test_longer_visit_at_the_same_time(client, sam, visit):
    page = client.post(move_page(visit), drop(visit, starts_at="2026-12-01T09:00", minutes="60"), follow=True)
    assert reload(visit).ends_at == NINE_ON_TUESDAY + HOUR
    assert "until 10:00 AM" in text_of(page)


@pytest.mark.parametrize("minutes", ["50", "0", "-60", "60.0", "９０", "x" * 500])
def test_length_that_is_not_offered_is_refused_by_the_form(client, sam, visit, minutes):
    page = client.post(move_page(visit), drop(visit, minutes=minutes))
    assert page.context["form"].errors["minutes"]
    assert reload(visit).version == 1


def test_length_is_not_asked_for_where_the_service_has_only_one(client, sam, visit):
    Service.objects.update(other_minutes=[])
    assert "minutes" not in client.get(move_page(visit)).context["form"].fields
    assert client.post(move_page(visit), drop(visit)).status_code == 303


@pytest.mark.parametrize("role", ["editor", "auditor"])
def test_others_may_neither_move_nor_undo(client, visit, role):
    client.force_login(UserFactory(roles=[role]))
    assert client.post(move_page(visit), drop(visit)).status_code == 403
    assert client.post(undo_page(visit), {"version": visit.shown}).status_code == 403
    assert reload(visit).version == 1


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/admin/", "//evil.example/admin/", "/admin//evil.example", "/admin/../", "/book/",
        "/admin\\evil", "javascript:alert(1)", "/admin/%2e%2e/book/", "/admin/\nx", "", "admin/", "/adminx/",
    ],
)  # fmt: skip
def test_address_to_return_to_is_never_outside_the_admin(client, sam, visit, address):
    assert local_back(address) == ""
    answer = client.post(move_page(visit), drop(visit, back=address))
    assert answer["Location"] == page_of(visit)


def test_page_costs_the_same_with_one_move_and_with_many(client, sam, visit, django_assert_max_num_queries):
    def count() -> int:
        with django_assert_max_num_queries(100) as queries:
            client.get(page_of(visit))
        return len(queries)

    client.post(move_page(visit), drop(visit))
    count()
    once = count()
    for hours in range(3, 8):
        move_appointment(appointment=reload(visit), starts_at=NINE_ON_TUESDAY + timedelta(days=1, hours=hours - 3),
                         despite_rules=EVERY_RULE, by=sam, now=NOW)  # fmt: skip
    assert count() <= once + 2  # whether the last move went back is looked up
