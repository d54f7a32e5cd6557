"""The visits. Staff read them here; what happens to one happens through the domain functions, never by editing a row."""

import uuid

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from assessments.models import Response
from booking.actions.attend import can_change
from booking.actions.book import book_appointment
from booking.actions.change import is_changeable, is_undoable, move_appointment
from booking.admin.acts import VisitActs, state_words
from booking.admin.error_text import broken_rules_words, refusal_words
from booking.admin.times import UnmarkedFilter, WhenFilter, local_time
from booking.forms.staff import StaffMoveForm
from booking.forms.staff_booking import StaffBookingForm
from booking.messages.delivery import how_move_is_told
from booking.models import Appointment, WaitListEntry
from booking.models.visit_states import Act, Outcome, State
from booking.schedule.errors import BookingRefused, SlotNotOffered, VisitChanged
from booking.schedule.off_schedule import find_off_schedule
from clinic.audit.access import record_access
from clinic.audit.admin import PrivateSearch, RecordsAccess
from clinic.audit.models import Action
from clinic.audit.searching import clean_search
from clinic.outbox.models import Message
from clinic.practice.models import Clinic, Patient
from clinic.practice.people.search import FindsPeople
from clinic.practice.templatetags.practice_tags import minutes as minutes_words
from clinic.practice.templatetags.practice_tags import phone_link
from clinic.practice.values.money import format_money
from clinic.responses.redirects import see_other

CHIPS = {"held": "chip-quiet", "booked": "chip-ok", "cancelled": "chip-quiet", "completed": "chip-quiet"}
INTAKE_CHIPS = {"none": "chip-warn", "part": "chip-warn", "done": "chip-ok"}

# The buttons of a visit's page that mark who came: by which act of the table, and what they say.
MARKS = {
    "arrived": (Act.ARRIVE, "They arrived"),
    "undo-arrival": (Act.UNDO_ARRIVAL, "Undo: they have not arrived"),
    "no-show": (Act.NO_SHOW, "They did not come"),
    "undo-no-show": (Act.UNDO_NO_SHOW, "Undo: it is open whether they came"),
}

# Fields of a visit's page that show other rows than the visit's own.
NEEDS_RIGHT_TO_VIEW = {"intake_link": Response, "messages_link": Message, "offers_of_the_time": WaitListEntry}


def _visit_called(object_id: str | None) -> Appointment | None:
    """The visit of a page's address; whether there is such a page is the admin's own question."""
    try:
        return Appointment.objects.filter(pk=uuid.UUID(object_id or "")).first()
    except ValueError:
        return None


@admin.register(Appointment)
class AppointmentAdmin(RecordsAccess, FindsPeople, PrivateSearch, VisitActs):
    phones, names = ("other_phone",), ("reference",)
    list_display = ("when", "patient", "what", "chips", "therapist")
    list_filter = (WhenFilter, "status", UnmarkedFilter, "therapist", "service")
    list_select_related = ("patient", "service", "therapist", "intake", "source_article")
    list_per_page = 50
    date_hierarchy = "starts_at"
    search_fields = ("patient__search_text", "other_phone", "reference")
    search_help_text = "Parts of a name, an email or a phone number, or a reference such as RC-7K3M9Q"
    change_form_template = "booking/admin_visit.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "when",
                    "patient_link",
                    "phone",
                    "what",
                    "agreed",
                    "guardian_name",
                    "therapist",
                    "status",
                    "reference",
                )
            },
        ),
        (
            "Before the visit",
            {"fields": ("not_coming_at", "intake_link", "confirmed_at", "messages_link", "source_article")},
        ),
        ("What happened", {"fields": ("history", "arrived_at", "cancelled_at", "offers_of_the_time")}),
        (
            "Behind it",
            {"fields": ("blocked_time", "visitor_time_zone", "version", "sequence"), "classes": ("collapse",)},
        ),
    )

    def get_fieldsets(self, request, obj=None):
        """Without what other rights open: who was offered the time, and links to pages that would refuse."""
        return [
            (title, {**options, "fields": [name for name in options["fields"] if self._may_see(request, name)]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def _may_see(self, request, field: str) -> bool:
        model = NEEDS_RIGHT_TO_VIEW.get(field)
        return model is None or self.admin_site.get_model_admin(model).has_view_permission(request)

    def get_queryset(self, request):
        visits = super().get_queryset(request).knowing_who_is_new(now=timezone.now()).knowing_who_was_texted()
        return visits.exclude(status=Appointment.Status.HELD, hold_expires_at__lte=timezone.now())

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    # How a visit reads

    @admin.display(description="when", ordering="starts_at")
    def when(self, visit):
        return format_html('<span class="clock">{}</span>', local_time(visit.starts_at).short)

    @admin.display(description="what", ordering="service")
    def what(self, visit):
        return f"{visit.service.name}, {visit.get_mode_display()}"

    @admin.display(description="state")
    def chips(self, visit):
        chips = [(CHIPS.get(visit.status, "chip-warn"), visit.get_status_display())]
        if not visit.has_been_here:
            chips.append(("chip-new", "new"))
        if visit.is_to_be_confirmed_by_phone:
            chips.append(("chip-warn", "no email: call to confirm"))
        if visit.outcome_at(timezone.now()) == Outcome.UNMARKED:
            chips.append(("chip-warn", "unmarked: did they come?"))
        if visit.state == State.ARRIVED:
            chips.append(("chip-ok", "arrived"))
        elif visit.confirmed_at:
            chips.append(("chip-ok", "confirmed"))
        if visit.guardian_name:
            chips.append(("chip-warn", f"under 18: with {visit.guardian_name}"))
        if visit.intake:
            chips.append((INTAKE_CHIPS[visit.intake.progress], f"intake {visit.intake.progress}"))
        elif visit.service.intake_slug:
            chips.append(("chip-warn", "without its questions"))
        if visit.source_article:
            chips.append(("chip-quiet", f"from: {visit.source_article.title}"))
        return format_html_join(" ", '<span class="chip {}">{}</span>', chips)

    @admin.display(description="agreed")
    def agreed(self, visit):
        """The visit's own length, price and late fee, whatever the service's are today."""
        words = f"{minutes_words(visit.minutes)}, {format_money(visit.price_cents)}"
        return f"{words}. {visit.late_fee_words}" if visit.late_fee_words else words

    @admin.display(description="history")
    def history(self, visit):
        events = visit.events.select_related("by")
        lines = ((local_time(event.at).short, event.get_kind_display(), event.by or "the patient") for event in events)
        told = [format_html("{}: {}, by {}", *line) for line in lines]
        if visit.state == State.COMPLETED:  # by `complete_visits`, which writes no event
            completed_at = max(visit.ends_at, visit.arrived_at)
            told.append(format_html("{}: completed, as the visit was over", local_time(completed_at).short))
        return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in told)) or self.get_empty_value_display()

    @admin.display(description="its time was offered to")
    def offers_of_the_time(self, visit):
        lines = (
            (
                reverse("admin:booking_waitlistentry_change", args=[offer.entry_id]),
                offer.entry.patient,
                local_time(offer.starts_at).short,
                ", who took it" if offer.taken_at else "",
            )
            for offer in visit.offers_of_its_time.select_related("entry__patient")
        )
        return format_html_join(mark_safe("<br>"), '<a href="{}">{}</a>: {}{}', lines) or self.get_empty_value_display()

    @admin.display(description="kept free")
    def blocked_time(self, visit):
        return f"{local_time(visit.blocked.lower).short} – {local_time(visit.blocked.upper).clock}"

    @admin.display(description="patient")
    def patient_link(self, visit):
        if visit.patient is None:
            return self.get_empty_value_display()
        url = reverse("admin:practice_patient_change", args=[visit.patient_id])
        unsure = mark_safe(' <span class="chip chip-warn">address not confirmed</span>')
        return format_html(
            '<a href="{}">{}</a>{}', url, visit.patient.name, unsure if visit.patient.is_provisional else ""
        )

    @admin.display(description="phone")
    def phone(self, visit):
        """The patient's number, and the one that came with the booking if it is another; each dials."""
        clinic = Clinic.objects.current()
        own = phone_link(visit.patient.phone, clinic) if visit.patient else ""
        other = phone_link(visit.other_phone, clinic)
        lines = [own or ("none" if other else "")]
        if other:
            lines.append(format_html("{} came with this booking and is not confirmed", other))
        if visit.is_to_be_confirmed_by_phone:
            lines.append("no email: call to confirm")
        return (
            format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines if line))
            or self.get_empty_value_display()
        )

    @admin.display(description="intake")
    def intake_link(self, visit):
        if visit.intake is None:
            is_missing = visit.service.intake_slug and visit.status == Appointment.Status.BOOKED
            return "none was begun" if is_missing else self.get_empty_value_display()
        url = reverse("admin:assessments_response_change", args=[visit.intake_id])
        return format_html('<a href="{}">Open the summary</a> ({})', url, visit.intake.progress)

    @admin.display(description="messages")
    def messages_link(self, visit):
        url = reverse("admin:outbox_message_changelist", query={"subject_id": visit.pk})
        return format_html('<a href="{}">What was and will be sent</a>', url)

    # What can be done to it

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Visits", **(extra_context or {})})

    def get_urls(self):
        act = self.admin_site.admin_view(require_POST(self.act_view))
        return [
            path("<uuid:pk>/act/<slug:act>/", act, name="booking_appointment_act"),
            path("<uuid:pk>/move/", self.admin_site.admin_view(self.move_view), name="booking_appointment_move"),
            *super().get_urls(),
        ]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        now, visit, clinic = timezone.now(), _visit_called(object_id), Clinic.objects.current()
        is_theirs = visit is not None and self.has_act_permission(request)
        context = {
            "may_act": self.has_act_permission(request),
            "may_move": is_theirs and is_changeable(visit, clinic=clinic, by=request.user, now=now),
            "off_schedule": find_off_schedule(visit, now=now).words if is_theirs else (),
            "may_undo": is_theirs and is_undoable(visit, now=now),
            "may_cancel": is_theirs and can_change(visit, Act.CANCEL, clinic=clinic, now=now),
            "marks": [
                (act, words)
                for act, (row, words) in MARKS.items()
                if is_theirs and can_change(visit, row, clinic=clinic, now=now)
            ],
            "title": "Visit",
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, context)

    # Booking one

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._book_view(request)

    def _book_view(self, request):
        clinic = Clinic.objects.current()
        sees_patients = self.admin_site.get_model_admin(Patient).has_view_permission(request)
        options = {"clinic": clinic, "sees_patients": sees_patients}
        words = clean_search(request.POST.get("find", "")) if sees_patients and "look_up" in request.POST else ""
        if words:
            form = StaffBookingForm(initial=request.POST.dict(), **options)
            form.look_up(words)
            return self._form_page(request, {"title": "Book a visit", "button": "Book this visit", "form": form})
        form = StaffBookingForm(request.POST or None, **options)
        if request.method == "POST" and form.is_valid():
            visit = self._try(form, book_appointment, booking=form.booking(), by=request.user, now=timezone.now())
            if visit is not None:
                self.message_user(request, f"{visit.reference} is booked.", messages.SUCCESS)
                return self._to_visit(visit.pk)
        page = {"title": "Book a visit", "button": "Book this visit", "form": form}
        return self._form_page(request, page)

    # Moving one

    def move_view(self, request, pk):
        """Another time or therapist for a visit. Staff may break rules, once they have seen which."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        visit = Appointment.objects.filter(pk=pk).first()
        if visit is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))
        return self._move_page(request, visit)

    def _move_page(self, request, visit):
        initial = {"therapist": visit.therapist, "starts_at": visit.starts_at, "version": visit.shown}
        form = StaffMoveForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            moved = self._try(
                form, move_appointment, appointment=visit, **form.cleaned_data, by=request.user, now=timezone.now()
            )
            if moved is not None:
                words = f"{moved.reference} is now on {local_time(moved.starts_at)}, with {moved.therapist}. "
                words += how_move_is_told(moved)
                self.message_user(request, words, messages.SUCCESS)
                return self._to_visit(moved.pk)
        now_words = f"{local_time(visit.starts_at)}, with {visit.therapist}"
        page = {"title": f"Move {visit.reference}", "now_words": now_words, "button": "Move this visit", "form": form}
        return self._form_page(request, page)

    def _try(self, form, function, **arguments):
        """What `function` returns; None if it refused, with the reason in the form."""
        try:
            return function(**arguments)
        except VisitChanged as refusal:
            visit = Appointment.objects.get(pk=arguments["appointment"].pk)
            form.ask_again(f"{refusal_words(refusal)} {state_words(visit)}", version=visit.shown)
        except SlotNotOffered as refusal:
            starts_at = form.cleaned_data["starts_at"]
            past_words = f"That is in the past: {local_time(starts_at).short}." if starts_at <= arguments["now"] else ""
            form.ask_despite_rules(broken_rules_words(refusal, past_words=past_words))
        except BookingRefused as refusal:
            form.add_error("starts_at", refusal_words(refusal))
        return None

    def _to_visit(self, pk):
        return see_other(reverse("admin:booking_appointment_change", args=[pk]))

    def _form_page(self, request, page):
        request.current_app = self.admin_site.name
        for patient in getattr(page["form"], "offered", ()):  # whose names and numbers the page shows
            found = {"subject": patient, "patient_id": patient.pk}
            record_access(actor=request.user, action=Action.READ, **found, now=timezone.now())
        context = {**self.admin_site.each_context(request), "opts": self.opts, **page}
        return TemplateResponse(request, "booking/admin_book.html", context)
