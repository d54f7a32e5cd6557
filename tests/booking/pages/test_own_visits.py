"""A patient's visits cannot overlap. Trying times does not reveal another person's visits."""

import re
import uuid
from datetime import timedelta

import pytest
import time_machine

from booking.actions.attend import mark_arrived, mark_no_show, undo_no_show
from booking.actions.change import cancel_appointment, move_appointment, undo_cancellation
from booking.admin.error_text import NOT_OFFERED
from booking.models import Appointment
from booking.schedule.errors import NotOfferedBecause, SlotNotOffered
from booking.schedule.off_schedule import OffScheduleBecause, visits_off_schedule
from booking.schedule.visit_links import visit_path
from clinic.practice.models import Patient, Proof, User
from clinic.practice.people.patients import accept_patient
from tests.booking.visitors import press
from tests.world import EVERY_RULE, NINE_ON_TUESDAY, NOW, book, make_therapist

HALF_PAST = NINE_ON_TUESDAY + timedelta(minutes=30)
TEN = NINE_ON_TUESDAY + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def nora(evaluation):
    therapist = make_therapist("Nora", position=1)
    evaluation.therapists.add(therapist)
    return therapist


@pytest.fixture
def alices(evaluation):
    """Alice's visit with Meredith, Tuesday from 9:00 to 9:45."""
    return book(evaluation)


@pytest.fixture
def owner(client, db):
    return User.objects.create_superuser("olga@clinic.example", name="Olga")


def refused(function, *arguments, **more):
    with pytest.raises(SlotNotOffered) as refusal:
        function(*arguments, **more)
    return refusal.value


def test_patient_cannot_book_two_therapists_at_once(evaluation, alices, nora):
    refusal = refused(book, evaluation, therapist=nora, starts_at=HALF_PAST, patient=alices.patient)
    assert (refusal.reasons, refusal.own_visit) == ((NotOfferedBecause.OWN_VISIT,), alices)
    assert Appointment.objects.get() == alices
    assert book(evaluation, therapist=nora, starts_at=TEN, patient=alices.patient).status == "booked"


def test_patient_cannot_move_a_visit_onto_another(evaluation, alices, nora):
    other = book(evaluation, therapist=nora, starts_at=TEN, patient=alices.patient)
    move = {"appointment": other, "starts_at": HALF_PAST, "now": NOW}
    assert refused(move_appointment, **move).own_visit == alices
    other.refresh_from_db()
    assert other.starts_at == TEN


def test_visit_can_be_moved_to_a_time_that_overlaps_its_own(alices):
    assert move_appointment(appointment=alices, starts_at=HALF_PAST, now=NOW).starts_at == HALF_PAST


def test_cancelled_and_finished_visits_do_not_count(evaluation, alices, nora):
    cancel_appointment(appointment=alices, now=NOW)
    assert book(evaluation, therapist=nora, patient=alices.patient).status == "booked"


def test_undo_is_refused_when_the_patient_has_booked_another_visit_meanwhile(evaluation, alices, nora, owner):
    cancel_appointment(appointment=alices, now=NOW)
    other = book(evaluation, therapist=nora, patient=alices.patient)
    assert refused(undo_cancellation, appointment=alices, now=NOW).own_visit == other
    assert undo_cancellation(appointment=alices, is_own=False, now=NOW).status == "booked"
    assert {one.reasons for one in visits_off_schedule(now=NOW)} == {(OffScheduleBecause.TWICE,)}


def test_family_that_shares_a_mailbox_books_the_same_hour(evaluation, alices, nora):
    beth = book(evaluation, therapist=nora, name="Beth Runner", email="alice@example.com")
    assert beth.starts_at == alices.starts_at
    assert visits_off_schedule(now=NOW) == []


def test_staff_may_book_it_despite_a_warning(evaluation, alices, nora, owner):
    told = {"therapist": nora, "by": owner, "name": "Alice Runner"}
    assert refused(book, evaluation, **told).reasons == (NotOfferedBecause.OWN_VISIT,)
    assert book(evaluation, **told, despite_rules=EVERY_RULE).patient == alices.patient
    assert visits_off_schedule(now=NOW) == []


def test_staff_see_the_warning_in_the_form(client, evaluation, alices, nora, owner):
    client.force_login(owner)
    form = {"service": evaluation.pk, "therapist": nora.pk, "starts_at": "2026-12-01T09:00", "mode": "in_person"}
    form |= {"name": "Alice Runner", "email": "alice@example.com", "phone": "603 555 0199"}
    form |= {"idempotency_key": str(uuid.uuid4())}
    page = client.post("/admin/booking/appointment/add/", form).content.decode()
    assert NOT_OFFERED[NotOfferedBecause.OWN_VISIT] in page
    confirmed = form | {"despite_rules": "on", "rules_shown": "own_visit"}
    assert client.post("/admin/booking/appointment/add/", confirmed).status_code == 303


def visitors_answer(client, therapist, name) -> tuple:
    typed = {"name": name, "email": "alice@example.com", "phone": "603 555 0199", "mode": "in_person"}
    typed |= {"idempotency_key": str(uuid.uuid4())}
    response = client.post(f"/book/evaluation/{therapist.slug}/20261201T1400Z/", typed)
    return response.status_code, len(response.get("Location", ""))


def test_stranger_who_types_a_name_cannot_detect_a_visit(client, evaluation, alices, nora):
    """The response is the same whether or not the name has a visit then. Staff see the overlap once it is proven."""
    known = visitors_answer(client, nora, "Alice Runner")
    typed = Appointment.objects.get(therapist=nora)
    assert typed.patient != alices.patient
    cancel_appointment(appointment=typed, now=NOW)
    assert visitors_answer(client, nora, "Anna Unknown") == known
    assert known[0] == 303


def test_stranger_with_their_own_link_cannot_detect_a_visit_by_moving(client, evaluation, alices, nora):
    typed = book(evaluation, therapist=nora, starts_at=TEN, is_known=False)
    book(evaluation, therapist=nora, starts_at=TEN + timedelta(hours=1), is_known=False)
    path = visit_path(typed, proof=Proof.SHOWN, now=NOW)
    Appointment.objects.filter(pk=alices.pk).update(patient=typed.patient)
    moved = press(client, f"{path}move/20261201T1400Z/", {"to": "nora"})
    assert moved.status_code == 303
    assert "already have a visit" not in client.get(moved["Location"]).content.decode()


def test_overlap_that_is_proven_later_is_shown_on_today(evaluation, alices, nora):
    typed = book(evaluation, therapist=nora, is_known=False)
    assert visits_off_schedule(now=NOW) == []
    accept_patient(typed.patient, now=NOW)
    assert {one.visit for one in visits_off_schedule(now=NOW)} == {alices, typed}
    assert Patient.objects.known().count() == 1


def test_recognized_patient_is_told_of_the_other_visit_and_offered_times_apart_from_it(
    client, evaluation, alices, nora, monkeypatch
):
    monkeypatch.setattr("booking.presenters.one_time.recognized_patient", lambda request: alices.patient)
    typed = {"phone": "603 555 0199", "mode": "in_person", "idempotency_key": str(uuid.uuid4())}
    response = client.post("/book/evaluation/nora/20261201T1400Z/", typed)
    page = response.content.decode()
    assert response.status_code == 409
    assert response.context["own_visit"] == alices
    assert "/20261201T1430Z/" not in page
    assert "/20261201T1500Z/" in page


def test_move_page_names_the_other_visit_to_its_patient(client, evaluation, alices, nora):
    other = book(evaluation, therapist=nora, starts_at=TEN, patient=alices.patient)
    path = visit_path(other, proof=Proof.MAILED, now=NOW)
    response = press(client, f"{path}move/20261201T1400Z/", {"to": "nora"})
    assert response.status_code == 409
    assert response.context["own_visit"] == alices
    other.refresh_from_db()
    assert other.starts_at == TEN


def test_undo_page_names_the_other_visit_to_its_patient(client, evaluation, alices, nora):
    cancel_appointment(appointment=alices, now=NOW)
    other = book(evaluation, therapist=nora, patient=alices.patient)
    path = visit_path(alices, proof=Proof.MAILED, now=NOW)
    response = press(client, f"{path}undo/")
    assert response.status_code == 409
    assert (response.context["why_not_undone"], response.context["own_visit"]) == ("own visit", other)


def times_of(client, path) -> set[str]:
    """Return the times in the links and buttons of a page."""
    return set(re.findall(r"/(\d{8}T\d{4}Z)/", client.get(path).text))


def test_move_page_omits_the_times_of_the_patients_other_visit(client, evaluation, alices, nora):
    other = book(evaluation, therapist=nora, starts_at=TEN, patient=alices.patient)
    path = visit_path(other, proof=Proof.MAILED, now=NOW)
    offered = times_of(client, f"{path}move/2026-12-01/?with=nora")
    assert not {"20261201T1400Z", "20261201T1430Z"} & offered
    assert {"20261201T1530Z", "20261201T1600Z"} <= offered
    counted = re.search(r"Tue, Dec 1</time> <span[^>]*>(\d+) time", client.get(f"{path}move/?with=nora").text)
    assert int(counted[1]) == len(offered)
    asked = client.get(f"{path}move/20261201T1400Z/?with=nora&to=nora")
    assert asked.status_code == 409
    assert asked.context["own_visit"] == alices


def test_move_page_reveals_no_other_visits_by_a_link_that_was_only_shown(client, evaluation, alices, nora):
    typed = book(evaluation, therapist=nora, starts_at=TEN, is_known=False)
    Appointment.objects.filter(pk=alices.pk).update(patient=typed.patient)
    path = visit_path(typed, proof=Proof.SHOWN, now=NOW)
    assert "20261201T1400Z" in times_of(client, f"{path}move/2026-12-01/?with=nora")
    assert client.get(f"{path}move/20261201T1400Z/?with=nora&to=nora").status_code == 200


def test_recognized_patient_is_not_offered_the_times_of_their_visit(client, evaluation, alices, nora):
    everyone = times_of(client, "/book/evaluation/2026-12-01/?with=nora")
    counted = client.get("/book/evaluation/?with=nora").text
    client.post(f"{visit_path(alices, proof=Proof.MAILED, now=NOW)}again/")
    theirs = times_of(client, "/book/evaluation/2026-12-01/?with=nora")
    assert everyone - theirs == {"20261201T1400Z", "20261201T1430Z"}
    assert theirs < everyone
    assert f"{len(everyone)} times" in counted
    assert f"{len(theirs)} times" in client.get("/book/evaluation/?with=nora").text
    client.post("/again/not-me/")
    assert times_of(client, "/book/evaluation/2026-12-01/?with=nora") == everyone


@pytest.mark.parametrize("undo", [undo_no_show, mark_arrived])
def test_no_show_cannot_be_undone_at_the_time_of_the_patients_other_visit(evaluation, nora, front_desk, undo):
    visit = book(evaluation)
    begun = NINE_ON_TUESDAY + timedelta(minutes=1)
    visit = mark_no_show(appointment=visit, by=front_desk, now=begun)
    late = NINE_ON_TUESDAY + timedelta(minutes=30)
    told = {"patient": visit.patient, "by": front_desk, "despite_rules": EVERY_RULE, "now": begun}
    other = book(evaluation, therapist=nora, starts_at=late, is_known=False, **told)
    with pytest.raises(SlotNotOffered) as refused:
        undo(appointment=visit, by=front_desk, now=begun)
    assert refused.value.own_visit == other
    visit.refresh_from_db()
    assert visit.status == "no_show"
    cancel_appointment(appointment=other, by=front_desk, now=begun)
    assert undo(appointment=visit, by=front_desk, now=begun).status == "booked"
