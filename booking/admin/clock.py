"""Whose clock the admin goes by."""

from django.utils import timezone

from clinic.practice.models import Clinic


class ByClinicClock:
    """For a ModelAdmin: days and times are typed and shown by the clinic's clock, whatever zone the server is in."""

    def changelist_view(self, request, extra_context=None):
        return by_clinic_clock(super().changelist_view, request, extra_context)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        return by_clinic_clock(super().changeform_view, request, object_id, form_url, extra_context)


def by_clinic_clock(view, *arguments):
    """Call the view, and render what it returns, under the clinic's zone."""
    with timezone.override(Clinic.objects.current().zone):
        response = view(*arguments)
        return response.render() if hasattr(response, "render") else response
