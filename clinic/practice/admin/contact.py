"""Show email addresses and phone numbers as people write them, in admin lists and on read-only pages."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from clinic.practice.models import Clinic
from clinic.practice.templatetags.practice_tags import phone_link
from clinic.practice.values.mail_addresses import readable_address

READABLE = {"email": "address", "phone": "number"}


class ReadableContact(admin.ModelAdmin):
    """Base of admins for rows with email and phone. Staff without permission to change a row see both formatted."""

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [READABLE.get(str(name), name) for name in options["fields"]]})
            for title, options in fieldsets
        ]

    @admin.display(description="email", ordering="email")
    def address(self, row: Any) -> str:
        return readable_address(row.email) or self.get_empty_value_display()

    @admin.display(description="phone", ordering="phone")
    def number(self, row: Any) -> str:
        return phone_link(row.phone, Clinic.objects.current()) or self.get_empty_value_display()
