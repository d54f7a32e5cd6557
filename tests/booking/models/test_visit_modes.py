"""A visit's mode is a row of one table. A new mode needs no other edit, and no module compares with a single mode."""

import ast
import re
import uuid
from importlib import import_module

import pytest
from django.db import connection, models
from django.db.models import Q

from booking.messages.invitation import visit_calendar
from booking.models import MODES, Appointment, Service, VisitMode, WaitListEntry
from booking.schedule.clocks import clock_of_visit
from tests.booking.holding import NINE, press, typed
from tests.booking.messages.rendering import message_of
from tests.clinic.letters import render_message
from tests.pages import text_of
from tests.sources import ROOT, python_files
from tests.world import NOW, book

pytestmark = pytest.mark.django_db

TABLE = "booking/models/visit_modes.py"
HOME = VisitMode(
    name="home",
    label="at home",
    how="at your home",
    choice="At your home",
    staff_choice="At home: you go to the patient.",
    place="At your home: we will come to you.",
    guardian_task="be there and sign",
    is_by_clinics_clock=True,
)
LISTING_MODES = {
    Appointment: ("appointment_mode_is_known", "mode__in"),
    Service: ("service_modes_are_known", "offered_modes__contained_by"),
    WaitListEntry: ("wait_list_mode_is_known", "mode__in"),
}


@pytest.fixture
def home_visits(evaluation, monkeypatch):
    """Offer the evaluation at home as well: add one row to the table, and migrate as makemigrations would."""
    monkeypatch.setitem(MODES, HOME.name, HOME)
    with connection.schema_editor() as editor:
        for model, (name, lookup) in LISTING_MODES.items():
            constraint = next(one for one in model._meta.constraints if one.name == name)
            editor.remove_constraint(model, constraint)
            editor.add_constraint(model, models.CheckConstraint(name=name, condition=Q(**{lookup: list(MODES)})))
    evaluation.offered_modes = ["in_person", "home"]
    evaluation.save()
    return evaluation


def test_visit_in_a_new_mode_is_booked_by_the_pages(client, home_visits, time_machine):
    time_machine.move_to(NOW, tick=False)
    held = press(client, NINE, key=uuid.uuid4())["Location"]
    form = client.get(held)
    assert f'value="{HOME.name}"' in form.content.decode()
    booked = client.post(held, typed(form) | {"mode": HOME.name})
    visit = Appointment.objects.get()
    assert (visit.status, visit.visit_mode) == ("booked", HOME)
    assert HOME.place in text_of(client.get(booked["Location"]))


def test_only_remaining_mode_is_offered_when_another_was_sent(client, evaluation, time_machine):
    time_machine.move_to(NOW, tick=False)
    held = press(client, NINE, key=uuid.uuid4())["Location"]
    form = typed(client.get(held))
    Service.objects.filter(pk=evaluation.pk).update(offered_modes=["phone"])
    for stale in ({"mode": "in_person"}, {"mode": ""}):
        refused = client.post(held, form | stale)
        assert refused.status_code == 422
        assert re.findall(r'<input(?=[^>]*type="radio")(?=[^>]*name="mode")[^>]*value="(\w+)"', refused.text) == [
            "phone"
        ]
    client.post(held, form | {"mode": "phone"})
    assert Appointment.objects.get().mode == "phone"


def test_visit_in_a_new_mode_uses_the_properties_of_its_row(clinic, home_visits):
    visit = book(home_visits, mode=HOME.name, time_zone="Asia/Tokyo")
    assert clock_of_visit(visit, clinic=clinic).zone == clinic.zone
    assert visit.number_to_call == ""
    assert HOME.place in render_message(message_of(visit, "booking_booked"), now=NOW).text
    calendar = visit_calendar(appointment=visit, clinic=clinic, now=NOW).decode()
    assert clinic.street not in calendar


def test_migration_keeps_the_modes_of_services(evaluation):
    migration = import_module("booking.migrations.0015_visit_modes")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE booking_service SET in_person = false, by_video = true, by_phone = true")
        cursor.execute(migration.READ_COLUMNS)
        evaluation.refresh_from_db()
        assert evaluation.offered_modes == ["video", "phone"]
        Service.objects.update(offered_modes=["in_person"])
        cursor.execute(migration.WRITE_COLUMNS)
        cursor.execute("SELECT in_person, by_video, by_phone FROM booking_service")
        assert cursor.fetchall() == [(True, False, False)]


def test_no_module_except_the_table_compares_with_a_single_mode():
    """Other code reads a property of the row, such as `needs_number`."""
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for room in ("assessments", "booking", "clinic", "education")
        for path in python_files(room)
        if str(path.relative_to(ROOT)) != TABLE
        for line in single_modes(ast.parse(path.read_text()))
    ]
    compared = re.compile(rf"mode\w*(\.name)?\s*[!=]=\s*[\"']({'|'.join(MODES)})[\"']")
    found += [
        str(path.relative_to(ROOT)) for path in (ROOT / "templates").rglob("*.*") if compared.search(path.read_text())
    ]
    assert found == []


def single_modes(tree: ast.AST) -> list[int]:
    """Return the lines that compare or filter by the name of one mode, or look up its row in the table."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            compared, beside = [node.left, *node.comparators], ast.unparse(node)
        elif isinstance(node, ast.keyword):
            compared, beside = [node.value], f"{node.arg}"
        elif isinstance(node, ast.Subscript):
            compared, beside = [node.slice], ast.unparse(node.value)
        else:
            continue
        names = {one.value for part in compared for one in ast.walk(part) if isinstance(one, ast.Constant)}
        if names & set(MODES) and "mode" in beside.lower():
            lines.append(compared[0].lineno)
    return lines


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("visit.mode == 'phone'", True),
        ("visit.mode in ('phone', 'video')", True),
        ("visits.filter(mode='video')", True),
        ("MODES['in_person'].label", True),
        ("'phone' in self.errors", False),
        ("visit.visit_mode.needs_number", False),
    ],
)
def test_the_search_finds_a_single_mode(line, is_found):
    assert bool(single_modes(ast.parse(line))) is is_found
