"""The visits. Staff read them here; what happens to one happens through the domain functions, never by editing a row."""

import uuid

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from assessments.models import Response
from booking.admin.refusals import broken_rules_words, refusal_words
from booking.admin.when import WhenFilter, local_time
from booking.appointments import book_appointment
from booking.attendance import mark_arrived, mark_no_show
from booking.changes import cancel_appointment, is_changeable, is_undoable, move_appointment, undo_cancellation
from booking.forms import StaffBookingForm, StaffMoveForm
from booking.models import Appointment, WaitListEntry
from booking.off_schedule import accept_off_schedule, find_off_schedule
from booking.refusals import BookingRefused, SlotNotOffered
from clinic.audit.admin import PrivateSearch, RecordsAccess
from clinic.outbox.models import Message
from clinic.practice.models import Clinic
from clinic.practice.phone import format_phone

CHIPS = {"held": "chip-quiet", "booked": "chip-ok", "cancelled": "chip-quiet", "completed": "chip-quiet"}
INTAKE_CHIPS = {"none": "chip-warn", "part": "chip-warn", "done": "chip-ok"}

# Fields of a visit's page that show other rows than the visit's own.
NEEDS_RIGHT_TO_VIEW = {"intake_link": Response, "messages_link": Message, "offers_of_the_time": WaitListEntry}

# What staff can do to a visit: by which function, and what it says when it is done.
ACTS = {
    "arrived": (mark_arrived, "marked as arrived"),
    "no-show": (mark_no_show, "marked as a no-show"),
    "cancel": (
        cancel_appointment,
        "cancelled; the patient is told by e-mail in 3 minutes, until then it can be undone",
    ),
    "keep": (accept_off_schedule, "kept as it is; Today no longer lists it"),
    "undo": (undo_cancellation, "booked again; nobody was told of the cancellation"),
}


# Where Today goes on after a button was pressed there: at the row, or at the list that the row has left.
BACK_ON_TODAY = {"today": "visit-{pk}", "unmarked": "unmarked"}


def _visit_called(object_id: str | None) -> Appointment | None:
    """The visit of a page's address; whether there is such a page is the admin's own question."""
    try:
        return Appointment.objects.filter(pk=uuid.UUID(object_id or "")).first()
    except ValueError:
        return None


@admin.register(Appointment)
class AppointmentAdmin(RecordsAccess, PrivateSearch, admin.ModelAdmin):
    list_display = ("when", "patient", "what", "chips", "therapist")
    list_filter = (WhenFilter, "status", "therapist", "service")
    list_select_related = ("patient", "service", "therapist", "intake", "source_article")
    list_per_page = 50
    date_hierarchy = "starts_at"
    search_fields = ("patient__name", "patient__email", "reference")
    search_help_text = "Part of a name or an e-mail, or a reference such as RC-7K3M9Q"
    actions = ("mark_as_arrived", "mark_as_no_show", "cancel")
    change_form_template = "booking/admin_visit.html"
    fieldsets = (
        (None, {"fields": ("when", "patient_link", "phone", "what", "therapist", "status", "reference")}),
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
        visits = super().get_queryset(request).knowing_who_is_new()
        return visits.exclude(status=Appointment.Status.HELD, hold_expires_at__lte=timezone.now())

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def has_act_permission(self, request) -> bool:
        """Who may mark and cancel: those with the right to change visits, though nobody edits one."""
        return request.user.has_perm("booking.change_appointment")

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
        if visit.confirmed_at:
            chips.append(("chip-ok", "confirmed"))
        if visit.intake:
            chips.append((INTAKE_CHIPS[visit.intake.progress], f"intake {visit.intake.progress}"))
        elif visit.service.intake_slug:
            chips.append(("chip-warn", "without its questions"))
        if visit.source_article:
            chips.append(("chip-quiet", f"from: {visit.source_article.title}"))
        return format_html_join(" ", '<span class="chip {}">{}</span>', chips)

    @admin.display(description="history")
    def history(self, visit):
        events = visit.events.select_related("by")
        lines = ((local_time(event.at).short, event.get_kind_display(), event.by or "the patient") for event in events)
        return format_html_join(mark_safe("<br>"), "{}: {}, by {}", lines)

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
        """The patient's number, and the one that came with the booking if it is another."""
        country = Clinic.objects.current().country
        own = format_phone(visit.patient.phone, country) if visit.patient else ""
        other = format_phone(visit.other_phone, country)
        if not other:
            return own or None
        return f"{own or 'none'}; with this booking came {other}, which nobody has vouched for"

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
        now, visit = timezone.now(), _visit_called(object_id)
        is_theirs = visit is not None and self.has_act_permission(request)
        context = {
            "may_act": self.has_act_permission(request),
            "may_move": is_theirs and is_changeable(visit, clinic=Clinic.objects.current(), by=request.user, now=now),
            "off_schedule": find_off_schedule(visit, now=now).words if is_theirs else (),
            "may_undo": is_theirs and is_undoable(visit, now=now),
            "title": "Visit",
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, context)

    def act_view(self, request, pk, act):
        if not self.has_act_permission(request):
            raise PermissionDenied
        visit = Appointment.objects.filter(pk=pk).first()
        if visit is None or act not in ACTS:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))
        is_done = self._act_on_each(request, [visit], act)
        if place := BACK_ON_TODAY.get(request.POST.get("back")):
            fragment = f"#{place.format(pk=pk)}" if is_done else ""  # a refusal is said at the top
            return HttpResponseRedirect(reverse("admin:index") + fragment, status=303)
        return self._to_visit(pk)

    def _act_on_each(self, request, visits, act):
        """Returns whether it was done to all."""
        function, done_words = ACTS[act]
        refused = 0
        for visit in visits:
            try:
                function(appointment=visit, by=request.user, now=timezone.now())
                self.message_user(request, f"{visit.reference} is {done_words}.", messages.SUCCESS)
            except BookingRefused as refusal:
                refused += 1
                self.message_user(request, f"{visit.reference}: {refusal_words(refusal)}", messages.ERROR)
        return not refused

    @admin.action(description="They arrived", permissions=["act"])
    def mark_as_arrived(self, request, queryset):
        self._act_on_each(request, queryset, "arrived")

    @admin.action(description="They did not come", permissions=["act"])
    def mark_as_no_show(self, request, queryset):
        self._act_on_each(request, queryset, "no-show")

    @admin.action(description="Cancel, and tell the patients", permissions=["act"])
    def cancel(self, request, queryset):
        self._act_on_each(request, queryset, "cancel")

    # Booking one

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._book_view(request)

    def _book_view(self, request):
        clinic = Clinic.objects.current()
        form = StaffBookingForm(request.POST or None, clinic=clinic)
        if request.method == "POST" and form.is_valid():
            visit = self._try(form, book_appointment, **form.booking(), by=request.user, now=timezone.now())
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
        form = StaffMoveForm(request.POST or None, initial={"therapist": visit.therapist, "starts_at": visit.starts_at})
        if request.method == "POST" and form.is_valid():
            moved = self._try(
                form, move_appointment, appointment=visit, **form.cleaned_data, by=request.user, now=timezone.now()
            )
            if moved is not None:
                words = f"{moved.reference} is moved to {local_time(moved.starts_at)}; the patient is told by e-mail."
                self.message_user(request, words, messages.SUCCESS)
                return self._to_visit(moved.pk)
        page = {"title": f"Move {visit.reference}", "button": "Move this visit", "form": form}
        return self._form_page(request, page)

    def _try(self, form, function, **arguments):
        """What `function` returns; None if it refused, with the reason in the form."""
        try:
            return function(**arguments)
        except SlotNotOffered as refusal:
            form.ask_despite_rules(broken_rules_words(refusal))
        except BookingRefused as refusal:
            form.add_error("starts_at", refusal_words(refusal))
        return None

    def _to_visit(self, pk):
        return HttpResponseRedirect(reverse("admin:booking_appointment_change", args=[pk]), status=303)

    def _form_page(self, request, page):
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, **page}
        return TemplateResponse(request, "booking/admin_book.html", context)
