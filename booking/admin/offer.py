"""What the clinic offers."""

from django import forms
from django.contrib import admin

from assessments.models import Questionnaire
from booking.models import Service
from clinic.practice.guarded_saving import GuardedSaving
from clinic.practice.money import format_money


class ServiceForm(forms.ModelForm):
    """A service, with its intake chosen from the questionnaires there are."""

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

    def has_delete_permission(self, request, obj=None):
        return False  # visits keep their service; hide it instead

    @admin.display(ordering="price_cents")
    def price(self, service):
        return format_money(service.price_cents)

    @admin.display(description="how")
    def ways(self, service):
        return ", ".join(mode.label for mode in service.modes)
