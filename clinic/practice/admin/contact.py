"""Email addresses and phone numbers as people write them."""

from django.contrib import admin

from clinic.practice.templatetags.practice_tags import dialing_link
from clinic.practice.values.mail_addresses import readable_address

READABLE = {"email": "address", "phone": "number"}


class ReadableContact:
    """For a ModelAdmin of rows with email, phone and country: staff who may only view them see both as people write them."""

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [READABLE.get(name, name) for name in options["fields"]]})
            for title, options in fieldsets
        ]

    @admin.display(description="email", ordering="email")
    def address(self, row):
        return readable_address(row.email) or self.get_empty_value_display()

    @admin.display(description="phone", ordering="phone")
    def number(self, row):
        return dialing_link(row.phone, row.country) or self.get_empty_value_display()
