"""Two members of staff book the same listed time at once, each with a form of their own."""

import uuid

import pytest
import time_machine
from django.test import Client

from booking.models import Appointment
from clinic.practice.models import User
from tests.booking.locking import overlaps, race
from tests.world import NINE_ON_TUESDAY, NOW

pytestmark = pytest.mark.django_db(transaction=True)
ADD = "/admin/booking/appointment/add/"


def test_one_books_the_listed_time_and_the_other_gets_the_nearest_times_and_keeps_what_was_typed(evaluation, meredith):
    with time_machine.travel(NOW, tick=False):
        desks = []
        for number in range(2):
            user = User.objects.create_superuser(f"desk{number}@clinic.example", name=f"Desk {number}")
            desks.append(Client())
            desks[-1].force_login(user)

        def send(number):
            form = {"service": evaluation.pk, "therapist": meredith.pk, "starts_at": "2026-12-01T09:00"}
            form |= {"name": f"Caller{number} Racing", "phone": f"603 555 01{number}0", "mode": "in_person"}
            return desks[number].post(ADD, form | {"idempotency_key": str(uuid.uuid4())})

        pages = race([lambda n=n: send(n) for n in range(2)])
    assert sorted(page.status_code for page in pages) == [200, 303]
    assert Appointment.objects.get().starts_at == NINE_ON_TUESDAY and overlaps() == 0
    loser = next(number for number, page in enumerate(pages) if page.status_code == 200)
    html = pages[loser].text
    assert f'value="Caller{loser} Racing"' in html and 'name="use_time" value="2026-12-01T10:00' in html
