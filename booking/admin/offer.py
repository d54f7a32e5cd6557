"""What the clinic offers."""

from django import forms
from django.contrib import admin

from assessments.models import Questionnaire
from booking.models import Service
from clinic.practice.guarded_saving import GuardedSaving
from clinic.practice.money import format_money
from clinic.practice.money_field import MoneyField

SHOWN_IN_DOLLARS = {"price_cents": "price", "late_fee_cents": "late_fee"}  # to whoever may not change a service


class ServiceForm(forms.ModelForm):
    """A service, with its prices in dollars and its intake chosen from the questionnaires there are."""

    price_cents = MoneyField(label="Price ($)", help_text="In dollars, like 165 or 87.50. 0 is shown as free.")
    late_fee_cents = MoneyField(
        label="Late fee ($)",
        initial=0,
        help_text="In dollars, for a change or a no-show after online changes close. 0: none.",
    )

    class Meta:
        widgets = {"therapists": forms.CheckboxSelectMultiple, "summary": forms.TextInput(attrs={"size": 80})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "intake_slug" not in self.fields:  # shown to whoever may not change it
            return
        known = dict(Questionnaire.objects.published().order_by("slug", "version").values_list("slug", "title"))
        chosen = self.instance.intake_slug
        choices = [("", "none"), *known.items()]
        if chosen and chosen not in known:
            choices.append((chosen, f"{chosen} (not published)"))
        self.fields["intake_slug"].widget = forms.Select(choices=choices)


@admin.register(Service)
class ServiceAdmin(GuardedSaving, admin.ModelAdmin):
    list_display = ("name", "minutes", "price", "ways", "listing", "position")
    list_editable = ("position",)
    form = ServiceForm
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (None, {"fields": ("name", "slug", "summary", "includes", "price_cents", "listing", "position")}),
        ("How and with whom", {"fields": ("in_person", "by_video", "by_phone", "therapists", "intake_slug")}),
        ("Times", {"fields": ("minutes", "start_step_minutes", "prepare_minutes", "turnover_minutes")}),
        ("Late changes", {"fields": ("late_fee_cents", "is_first_late_free", "late_fee_note")}),
        (
            "Limits",
            {"fields": ("minimum_notice_minutes", "horizon_days", "daily_cap", "weekly_cap", "prefers_no_gaps")},
        ),
    )

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [SHOWN_IN_DOLLARS.get(name, name) for name in options["fields"]]})
            for title, options in fieldsets
        ]

    def has_delete_permission(self, request, obj=None):
        return False  # visits keep their service; hide it instead

    @admin.display(ordering="price_cents")
    def price(self, service):
        return format_money(service.price_cents)

    @admin.display(description="late fee")
    def late_fee(self, service):
        return format_money(service.late_fee_cents) if service.late_fee_cents else "none"

    @admin.display(description="how")
    def ways(self, service):
        return ", ".join(mode.label for mode in service.modes)
