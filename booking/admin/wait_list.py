"""The wait list in the admin: wishes, offers, and adding or removing a patient."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from booking.actions.offers import offer_gap, take_back_offers
from booking.admin.acts import back_to_today, is_only_mine
from booking.admin.error_text import format_refusal
from booking.admin.times import local_time
from booking.messages.delivery import UNDO, WAIT
from booking.messages.names import OFFER
from booking.models import SlotOffer, WaitListEntry
from booking.models.visit_states import UNDO_FOR
from booking.schedule.clocks import clock_of_entry
from booking.schedule.errors import BookingRefused
from booking.staff.rights import BOOKS_VISITS
from booking.staff.todays_gaps import read_gap
from booking.staff.todays_visits import rights_of
from booking.time.intervals import Interval
from booking.wait_list.entries import end_expired_entries, leave_wait_list, unexpired_entries
from booking.wait_list.slot_offers import AT_ONCE
from booking.wait_list.stuck_entries import stuck_entries, why_stuck
from clinic.audit.admin import PrivateSearch, RecordsAccess
from clinic.audit.searching import PicksRows
from clinic.outbox.models import Message
from clinic.practice.access.staff import staff_of
from clinic.practice.fields.typed_times import StaffDayField
from clinic.practice.models import Clinic, Therapist
from clinic.practice.people.search import FindsPeople
from clinic.practice.registry.rights import may_see
from clinic.practice.saving.stale_saving import RefusesStaleSaves
from clinic.practice.values.dates import format_days
from clinic.practice.values.zones import clock_label
from clinic.responses.htmx import is_htmx

CHIPS = {"waiting": "chip-warn", "served": "chip-ok", "left": "chip-quiet"}


class StuckFilter(admin.SimpleListFilter):
    """Filter for entries to which no time can be offered."""

    title, parameter_name = "offers", "stuck"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Sequence[tuple[str, str]]:
        return [("1", "no times to offer")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[WaitListEntry]) -> QuerySet[WaitListEntry]:
        stuck = stuck_entries(now=timezone.now()).values("pk")
        return queryset.filter(pk__in=stuck) if self.value() == "1" else queryset


class WaitListEntryForm(forms.ModelForm):
    """The form for an entry. It rejects a second waiting entry of a patient for the same service with a message.

    The database has a constraint for that, but the form cannot check it, as the status is not one of its fields.
    """

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        if self.instance._state.adding and {"patient", "service"} <= cleaned.keys():
            same = {name: cleaned[name] for name in ("patient", "service")}
            if unexpired_entries(now=timezone.now()).filter(**same).exists():
                raise forms.ValidationError("This patient is already on the wait list for this service.")
        return cleaned


class GapForm(forms.Form):
    """The gap that a button of Today names: a therapist, and the interval `gap` on one day."""

    therapist = forms.ModelChoiceField(Therapist.objects.active())
    starts_at = forms.CharField(max_length=40)
    ends_at = forms.CharField(max_length=40)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            start, end = (datetime.fromisoformat(cleaned[name]).astimezone(UTC) for name in ("starts_at", "ends_at"))
            if end - start > timedelta(days=1):
                raise ValueError
            return {"therapist": cleaned["therapist"], "gap": Interval(start, end)}
        except (KeyError, ValueError, OverflowError) as error:
            raise forms.ValidationError("This is not a gap.") from error


def _format_offered(offers: Sequence[SlotOffer], *, now: datetime) -> str:
    """Say how many are emailed, and when. It is later than usual in quiet hours."""
    if not offers:
        return "No one was emailed: it is too soon for an email, or they could not take this time. Please call."
    who = "1 person" if len(offers) == 1 else f"{len(offers)} people"
    messages_of = Message.objects.filter(kind=OFFER, subject_id__in=[offer.pk for offer in offers])
    first_at = messages_of.aggregate(at=Min("due_at"))["at"]
    when = f"at {local_time(first_at).clock}" if first_at > now + UNDO_FOR else WAIT
    by_and_by = f", {AT_ONCE} at a time" if len(offers) > AT_ONCE else ""
    return f"{who} on the wait list will be emailed {when}{by_and_by}. The first to say yes gets the time. {UNDO}"


def _format_taken_back(count: int, left: int) -> str:
    if not count:
        return "The emails have been sent already. Whoever says yes first gets the time."
    sent = f" {left} had been emailed before." if left else " No one was emailed."
    return f"The offer was taken back.{sent}"


@admin.register(WaitListEntry)
class WaitListEntryAdmin(RefusesStaleSaves, PicksRows, RecordsAccess, FindsPeople, PrivateSearch, admin.ModelAdmin):
    """The admin of entries. Staff can edit the wishes. Only the domain functions serve or end an entry."""

    form = WaitListEntryForm
    formfield_overrides = {models.DateField: {"form_class": StaffDayField, "widget": AdminDateWidget}}
    list_display = ("patient", "service", "how", "days", "part", "state", "since", "offered")
    list_filter = ("status", StuckFilter, "service")
    list_select_related = ("patient", "service", "therapist", "appointment")
    search_fields = ("patient__search_text",)
    search_help_text = "Parts of a name, an email or a phone number"
    autocomplete_fields = ("patient",)
    actions = ("take_off",)
    ordering = ("-status", "created_at")  # waiting, served, left; the longest waiting first
    fields = ("patient", "service", "therapist", "mode", "part_of_day", "first_on", "last_on")
    details = ("clock", "state", "how", "stuck", "visit_link", "since", "offers_made", "messages_link")

    def get_urls(self) -> list[URLPattern]:
        offer = self.admin_site.admin_view(require_POST(self.offer_view))
        return [path("offer/", offer, name="booking_waitlistentry_offer"), *super().get_urls()]

    def offer_view(self, request: HttpRequest) -> HttpResponse:
        """Offer a gap to the wait list, or take the offers back, and redirect to Today. htmx gets the gap's row instead.

        Raises PermissionDenied.
        """
        if not self.has_take_off_permission(request):
            raise PermissionDenied
        form, now, by, clinic = GapForm(request.POST), timezone.now(), staff_of(request), Clinic.objects.current()
        row = read_gap(**form.cleaned_data, clinic=clinic, by=by, now=now) if form.is_valid() else None
        if row is None:
            self.message_user(request, "This time is no longer free. Nothing was sent.", messages.ERROR)
            return back_to_today(request)
        therapist, gap = row.therapist, row.interval
        try:
            if request.POST.get("act") == "undo":
                count = take_back_offers(therapist=therapist, gap=gap, by=by, now=now)
                text = _format_taken_back(count, SlotOffer.objects.of_gaps(gap).filter(therapist=therapist).count())
            else:
                text = _format_offered(offer_gap(therapist=therapist, gap=gap, by=by, clinic=clinic, now=now), now=now)
            self.message_user(request, text, messages.SUCCESS)
        except BookingRefused as refusal:
            self.message_user(request, format_refusal(refusal), messages.ERROR)
        row = read_gap(therapist=therapist, gap=gap, clinic=clinic, by=by, now=now)
        if row is None or not is_htmx(request):
            return back_to_today(request, fragment=row.anchor if row else "gaps")
        context = {"gap": row, "clinic": clinic, "notes": list(messages.get_messages(request)), "is_swapped": True}
        context |= {"only_mine": is_only_mine(request), "may_offer": True, "may_book": may_see(by, [BOOKS_VISITS])}
        return render(request, "admin/_today_gap.html", {**context, **rights_of(by)})

    def get_queryset(self, request: HttpRequest) -> QuerySet[WaitListEntry]:
        return super().get_queryset(request).annotate(offer_count=Count("offers")).with_is_stuck()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Wait list", **(extra_context or {})})

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: WaitListEntry | None = None,
    ) -> HttpResponse:
        """Show the patient, service and state of an entry as the subtitle of its page."""
        if obj is not None:
            context["subtitle"] = f"{obj.patient}, {obj.service}: {self._state_chip(obj)[1]}"
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_fields(self, request: HttpRequest, obj: WaitListEntry | None = None) -> tuple[str, ...]:
        return self.fields + (self.details if obj else ())

    def get_readonly_fields(self, request: HttpRequest, obj: WaitListEntry | None = None) -> tuple[str, ...]:
        is_over = obj is not None and obj.status != WaitListEntry.Status.WAITING
        return self.details + (self.fields if is_over else ("patient", "service") if obj else ())

    def has_delete_permission(self, request: HttpRequest, obj: WaitListEntry | None = None) -> bool:
        return False  # offers are kept on record; staff use "Take them off the list"

    def has_take_off_permission(self, request: HttpRequest) -> bool:
        """Whether the user may take patients off the list. Requires the permission to change entries."""
        return request.user.has_perm("booking.change_waitlistentry")

    def save_model(self, request: HttpRequest, obj: WaitListEntry, form: forms.ModelForm, change: bool) -> None:
        if not change:
            obj.created_at = timezone.now()
            end_expired_entries(patient=obj.patient, service=obj.service, now=obj.created_at)
        super().save_model(request, obj, form, change)

    @admin.display(description="days", ordering="first_on")
    def days(self, entry: WaitListEntry) -> str:
        return format_days(entry.first_on, entry.last_on, today=timezone.localdate())

    @admin.display(description="time of day", ordering="part_of_day")
    def part(self, entry: WaitListEntry) -> str:
        part = entry.get_part_of_day_display() if entry.part_of_day else "any"
        return f"{part} ({clock_label(entry.time_zone)})" if entry.time_zone else part

    @admin.display(description="time zone")
    def clock(self, entry: WaitListEntry) -> str:
        return clock_of_entry(entry, clinic=Clinic.objects.current()).label

    @admin.display(description="state", ordering="status")
    def state(self, entry: WaitListEntry) -> str:
        return format_html('<span class="chip {}">{}</span>', *self._state_chip(entry))

    def _today_of(self, entry: WaitListEntry) -> date:
        """Return today's date in the zone of the entry. The active zone is the clinic's (`AdminByClinicClock`)."""
        clinic = Clinic(time_zone=timezone.get_current_timezone_name())
        return clock_of_entry(entry, clinic=clinic).day(timezone.now())

    def _state_chip(self, entry: WaitListEntry) -> tuple[str, str]:
        is_waiting, visit = entry.status == WaitListEntry.Status.WAITING, entry.appointment
        if is_waiting and entry.last_on < self._today_of(entry):
            return "chip-quiet", "days are over"
        if is_waiting and visit and (visit.status != visit.Status.BOOKED or visit.starts_at <= timezone.now()):
            return "chip-quiet", "their visit is over or canceled"
        if is_waiting and entry.is_stuck:
            return "chip-urgent", "no times to offer: call"
        if is_waiting and not entry.patient.email:
            return "chip-urgent", "no email: call about freed times"
        return CHIPS[entry.status], entry.get_status_display()

    @admin.display(description="how")
    def how(self, entry: WaitListEntry) -> str:
        """The requested mode and, if the service no longer has it, the mode that is offered instead."""
        asked, offered = entry.get_mode_display(), entry.offered_mode
        is_changed = entry.status == WaitListEntry.Status.WAITING and offered.name != entry.mode
        return f"{offered.label} (asked for {asked})" if is_changed else asked

    @admin.display(description="why there are no times")
    def stuck(self, entry: WaitListEntry) -> str:
        is_waiting = entry.status == WaitListEntry.Status.WAITING
        return (why_stuck(entry) if is_waiting else None) or self.get_empty_value_display()

    @admin.display(description="since", ordering="created_at")
    def since(self, entry: WaitListEntry) -> str:
        return local_time(entry.created_at).short

    @admin.display(description="offers", ordering="offer_count")
    def offered(self, entry: WaitListEntry) -> int:
        return entry.offer_count

    @admin.display(description="visit")
    def visit_link(self, entry: WaitListEntry) -> str:
        if entry.appointment is None:
            return self.get_empty_value_display()
        url = reverse("admin:booking_appointment_change", args=[entry.appointment_id])
        return format_html('<a href="{}">{}</a>', url, local_time(entry.appointment.starts_at).short)

    @admin.display(description="offered")
    def offers_made(self, entry: WaitListEntry) -> str:
        lines = (
            (local_time(offer.starts_at).short, "they said yes" if offer.taken_at else "no answer")
            for offer in entry.offers.all()
        )
        return format_html_join(mark_safe("<br>"), "{}: {}", lines) or self.get_empty_value_display()

    @admin.display(description="messages")
    def messages_link(self, entry: WaitListEntry) -> str:
        url = reverse("admin:outbox_message_changelist", query={"patient__id__exact": entry.patient_id})
        return format_html('<a href="{}">What was and will be sent</a>', url)

    @admin.action(description="Take them off the list", permissions=["take_off"])
    def take_off(self, request: HttpRequest, queryset: QuerySet[WaitListEntry]) -> None:
        for entry in queryset:
            leave_wait_list(entry=entry, by=staff_of(request), now=timezone.now())
        self.message_user(request, "Taken off the list. They get no more offers.", messages.SUCCESS)
