"""Services in the admin."""

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst

from assessments.models import Questionnaire
from booking.models import MODES, Appointment, Service
from booking.models.service import LENGTHS
from clinic.practice.fields.money_field import MoneyField
from clinic.practice.saving.guarded_saving import GuardedSaving
from clinic.practice.saving.stale_saving import RefusesStaleSaves
from clinic.practice.values.money import format_money

if TYPE_CHECKING:
    from django.contrib.admin.options import _FieldsetSpec

# Read-only columns that replace form fields for users without the permission to change services.
SHOWN_AS = {"price_cents": "price", "late_fee_cents": "late_fee", "offered_modes": "ways"}


class LengthsField(forms.CharField):
    """Lengths in minutes that staff type, such as "30, 60", as a sorted list."""

    default_error_messages = {
        "invalid": f"Enter minutes in steps of {LENGTHS.step}, from {LENGTHS[0]} to {LENGTHS[-1]}, such as 30, 60."
    }

    def __init__(self, **kwargs: Any) -> None:
        column = Service._meta.get_field("other_minutes")
        texts = {"label": capfirst(column.verbose_name), "help_text": column.help_text}
        super().__init__(**{**texts, "required": False, "max_length": 200, **kwargs})

    def to_python(self, value: Any) -> Any:
        parts = [part for part in re.split(r"[\s,;]+", super().to_python(value) or "") if part]
        if not all(part.isascii() and part.isdigit() and len(part) <= 3 and int(part) in LENGTHS for part in parts):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return sorted({int(part) for part in parts})

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial or []), data)


class ServiceForm(forms.ModelForm):
    """The form for a service, with prices in dollars and a choice of published questionnaires as its intake."""

    price_cents = MoneyField(label="Price ($)", help_text="In dollars, like 165 or 87.50. 0 is shown as free.")
    late_fee_cents = MoneyField(
        label="Late fee ($)",
        initial=0,
        help_text="In dollars, for a change or a no-show after online changes close. 0: none.",
    )

    offered_modes = forms.MultipleChoiceField(
        label="How",
        choices=[(mode.name, mode.staff_choice) for mode in MODES.values()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one way to meet."},
    )

    other_minutes = LengthsField()

    class Meta:
        widgets = {"therapists": forms.CheckboxSelectMultiple, "summary": forms.TextInput(attrs={"size": 80})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "intake_slug" not in self.fields:  # it is read-only without the change permission
            return
        known = dict(Questionnaire.objects.published().order_by("slug", "version").values_list("slug", "title"))
        chosen = self.instance.intake_slug
        choices = [("", "none"), *known.items()]
        if chosen and chosen not in known:
            choices.append((chosen, f"{chosen} (not published)"))
        self.fields["intake_slug"].widget = forms.Select(choices=choices)
        self.intakes = {slug for slug, _ in choices}

    def clean_intake_slug(self) -> str:
        """Reject a questionnaire that the list does not offer."""
        slug: str = self.cleaned_data["intake_slug"]
        if slug not in self.intakes:
            raise forms.ValidationError("Choose one of the published questionnaires, or none.")
        return slug


@admin.register(Service)
class ServiceAdmin(RefusesStaleSaves, GuardedSaving, admin.ModelAdmin):
    list_display = ("name", "purpose_words", "minutes", "price", "ways", "listing", "position")
    list_editable = ("position",)
    form = ServiceForm
    readonly_fields = ("visits_ahead",)
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "slug",
                    "purpose",
                    "summary",
                    "includes",
                    "price_cents",
                    "visits_ahead",
                    "listing",
                    "position",
                )
            },
        ),
        ("How and with whom", {"fields": ("offered_modes", "therapists", "intake_slug")}),
        (
            "Times",
            {"fields": ("minutes", "other_minutes", "start_step_minutes", "prepare_minutes", "turnover_minutes")},
        ),
        ("Late changes", {"fields": ("late_fee_cents", "is_first_late_free", "late_fee_note")}),
        (
            "Limits",
            {"fields": ("minimum_notice_minutes", "horizon_days", "daily_cap", "weekly_cap", "prefers_no_gaps")},
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> "_FieldsetSpec":
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [SHOWN_AS.get(name, name) for name in options["fields"]]})
            for title, options in fieldsets
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Service | None = None) -> bool:
        return False  # visits refer to their service; staff hide it instead

    @admin.display(description="for", ordering="purpose")
    def purpose_words(self, service: Service) -> str:
        return service.get_purpose_display().partition(":")[0]

    @admin.display(description="visits ahead")
    def visits_ahead(self, service: Service) -> str:
        """Text about the upcoming visits, which keep the terms that they were booked with."""
        ahead = Appointment.objects.filter(
            service=service.pk, status=Appointment.Status.BOOKED, starts_at__gt=timezone.now()
        )
        count = ahead.count()
        if not count:
            return "None. A new price or length is for new bookings."
        visits = "1 visit ahead keeps" if count == 1 else f"{count} visits ahead keep"
        return f"{visits} the length, price and late fee {'it was' if count == 1 else 'they were'} booked with."

    @admin.display(ordering="price_cents")
    def price(self, service: Service) -> str:
        return format_money(service.price_cents)

    @admin.display(description="late fee")
    def late_fee(self, service: Service) -> str:
        return format_money(service.late_fee_cents) if service.late_fee_cents else "none"

    @admin.display(description="how")
    def ways(self, service: Service) -> str:
        return ", ".join(mode.label for mode in service.modes)
