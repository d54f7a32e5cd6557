"""Text messages that came in are kept, encrypted, until a member of staff has read them."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import clinic.audit.fields


class Migration(migrations.Migration):
    dependencies = [
        ("outbox", "0007_zone_of_a_message"),
        ("practice", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="InboundText",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("provider_id", models.CharField(editable=False, max_length=64, unique=True)),
                ("phone", models.CharField(max_length=20, verbose_name="from")),
                ("words", clinic.audit.fields.EncryptedJSONField()),
                ("received_at", models.DateTimeField(verbose_name="received")),
                (
                    "answered_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="answered automatically"),
                ),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="read")),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        help_text="The one with this number when it came. Empty: nobody has it, or several do.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inbound_texts",
                        to="practice.patient",
                    ),
                ),
                (
                    "read_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "text message received",
                "verbose_name_plural": "text messages received",
                "ordering": ["-received_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("read_at", None)), fields=["received_at"], name="inbound_text_unread"
                    ),
                    models.Index(fields=["phone", "answered_at"], name="inbound_text_answered"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("read_at", None), ("read_by", None)),
                            models.Q(("read_at__isnull", False), ("read_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="inbound_text_is_read_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("provider_id", ""), _negated=True), name="inbound_text_has_a_provider_id"
                    ),
                ],
            },
        ),
    ]
