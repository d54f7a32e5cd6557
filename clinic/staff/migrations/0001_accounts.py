import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import clinic.audit.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FactorSecret",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("secret", clinic.audit.fields.EncryptedJSONField()),
            ],
        ),
        migrations.CreateModel(
            name="StaffLink",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("invitation", "invitation"),
                            ("reset", "forgotten password"),
                            ("emergency", "emergency access"),
                        ],
                        max_length=12,
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "invited_by",
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
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["email"], name="staff_link_email")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["invitation", "reset", "emergency"])),
                        name="staff_link_purpose_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="staff_link_expires_after_it_is_made",
                    ),
                ],
            },
        ),
    ]
