"""The suppression list in the admin: addresses that bounced, and those of readers who complained or unsubscribed."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest

from clinic.audit.admin import PrivateSearch, RecordsAccess
from clinic.outbox.models import Channel, Suppression
from clinic.practice.admin.columns import moment_column
from clinic.practice.models import Clinic, Patient
from clinic.practice.templatetags.practice_tags import phone_link
from clinic.practice.values.mail_addresses import readable_address


@admin.register(Suppression)
class SuppressionAdmin(RecordsAccess, PrivateSearch):
    """Rows cannot be added or changed here. Deleting a row allows messages to its address again."""

    list_display = ("whom", "channel", "why", "since")
    list_filter = ("why", "channel")
    fields = ("whom", "channel", "why", "since")
    search_fields = ("address",)

    since = moment_column("created_at", "blocked since")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suppression]:
        keyed = Patient.objects.alias(email_key=Lower("email"))
        with_address = keyed.filter(Q(email_key=Lower(OuterRef("address"))) | Q(phone=OuterRef("address")))
        return super().get_queryset(request).annotate(patients_there=ArraySubquery(with_address.values("pk")))

    def patient_ids_of(self, obj: Any) -> list[UUID]:
        """Return the ids of the patients who have this address."""
        return obj.patients_there

    @admin.display(description="address", ordering="address")
    def whom(self, suppression: Suppression) -> str:
        is_phone = suppression.channel == Channel.SMS
        return (
            phone_link(suppression.address, Clinic.objects.current())
            if is_phone
            else readable_address(suppression.address)
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Require the view permission too, because the delete page shows the address."""
        return super().has_delete_permission(request, obj) and self.has_view_permission(request, obj)
