"""Template contexts of the times that staff can book: the results of a search, and the times that fit a booking form."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from booking.forms.find_time import FindTimeForm
from booking.forms.staff_booking import StaffBookingForm
from booking.models import Service
from booking.schedule.errors import NotOfferedBecause
from booking.schedule.local_time import LocalTime, clinic_time
from booking.staff.open_times import (
    NEXT,
    OpenSlot,
    OpenTime,
    OpenTimes,
    days_of,
    read_open_times,
    search_stretch,
    stretch_around,
)
from clinic.practice.models import Clinic, Therapist

MOST_LATER = 8  # times on other days, listed if none fits on the chosen day

# Why patients cannot book a listed time, in a few words. The form shows the rule as a sentence.
MARKS = {
    NotOfferedBecause.SERVICE: "not online",
    NotOfferedBecause.NOTICE: "short notice",
    NotOfferedBecause.HORIZON: "far ahead",
    NotOfferedBecause.KEPT: "held back",
}


def booking_address(*, starts_at: datetime, therapist: Therapist | None = None, service: Service | None = None) -> str:
    """Return the address of the form with these values filled in. The start is in the active zone, the clinic's."""
    rows = {name: row.pk for name, row in (("service", service), ("therapist", therapist)) if row is not None}
    query = rows | {"starts_at": LocalTime(starts_at, timezone.get_current_timezone()).typed}
    return f"{reverse('admin:booking_appointment_add')}?{urlencode(query)}"


def found_context(form: FindTimeForm, *, now: datetime, clinic: Clinic) -> dict[str, Any]:
    """Return the context of the times that the valid `form` finds, and of the link to later ones."""
    given = form.cleaned_data
    service, after = given["service"], given["after"] and given["after"].astimezone(UTC)
    stretch = search_stretch(service, first_day=given["first_day"], after=after, now=now, clinic=clinic)
    chosen = [therapist.pk for therapist in given.get("therapist", ())]
    open_times = read_open_times(
        service=service, stretch=stretch, now=now, clinic=clinic, therapists=chosen, part=form.part_of_day
    )
    times = open_times.first()
    days = [(day, [_row(time, service) for time in group]) for day, group in days_of(times)]
    last_day = clinic_time(stretch.end - timedelta(minutes=1), clinic).local.date()
    page = {"service": service, "days": days, "last_day": last_day, **_marks_of(times)}
    if len(open_times.times) > NEXT:
        sent = {name: form[name].data for name in form.fields if form[name].data}
        page["later"] = urlencode(sent | {"after": times[-1].time.typed}, doseq=True)
    return page


def fitting_context(form: StaffBookingForm, *, is_taken: bool = False, now: datetime) -> dict[str, Any]:
    """Return the context of the times that fit the service, therapist and day in `form`. Empty without a service.

    If the time is taken, they are the nearest ones. If none fits on the day, they are the next ones.
    """
    service, start, therapist = form.given_service, form.given_start, form.given_therapist
    if service is None:
        return {}
    clinic = Clinic.objects.current()
    every = read_open_times(
        service=service, stretch=stretch_around(start, now=now, clinic=clinic), now=now, clinic=clinic
    )
    own = every.of(therapist)
    is_others = bool(therapist and every.slots and not own.slots)
    is_set = bool(start and therapist) and not form.errors.keys() & {"service", "therapist", "starts_at"}
    title, times = _choose(every if is_others else own, start, is_taken=is_taken, now=now, clinic=clinic)
    return {
        "is_set": is_set,
        "given_time": clinic_time(start, clinic).short if start else "",
        "title_of_times": title,
        "days": [
            (day, [_row(time, service, start=start, therapist=therapist) for time in group])
            for day, group in days_of(times)
        ],
        "without_times": therapist if is_others else None,
        **_marks_of(times),
    }


def _choose(
    found: OpenTimes, start: datetime | None, *, is_taken: bool, now: datetime, clinic: Clinic
) -> tuple[str, list[OpenTime]]:
    """Return the title and the times to list."""
    if is_taken and start:
        return "Nearest free times", found.nearest(start)
    chosen = clinic_time(start or now, clinic)
    day = chosen.local.date()
    if start and (of_day := found.on(day).times):
        return "Times that fit", of_day
    later = [time for time in found.times if time.time.local.date() >= day][:MOST_LATER]
    if start and later:
        return f"No time fits on {chosen.short_day}. Next free times", later
    return "Next free times" if later else "No free time in the next weeks", later


def _row(
    time: OpenTime, service: Service, *, start: datetime | None = None, therapist: Therapist | None = None
) -> dict[str, Any]:
    """Return the context of a start time: each slot with its mark, the address that books it, and the button's value."""

    def slot_row(slot: OpenSlot) -> dict[str, Any]:
        return {
            "slot": slot,
            "mark": ", ".join(MARKS[reason] for reason in slot.broken),
            "address": booking_address(starts_at=slot.starts_at, therapist=slot.therapist, service=service),
            "value": f"{slot.time.typed} {slot.therapist.pk}",
            "is_chosen": slot.starts_at == start and slot.therapist == therapist,
        }

    return {"time": time.time, "slots": [slot_row(slot) for slot in time.slots]}


def _marks_of(times: list[OpenTime]) -> dict[str, Any]:
    slots = [slot for time in times for slot in time.slots]
    return {
        "has_marks": any(slot.broken for slot in slots),
        "names_therapists": len({slot.therapist.pk for slot in slots}) > 1,
    }
