"""Links say how they left the house, and what a visitor typed is provisional until a mailed link is used.

Patients who are there stay known. Of the old links to visits and questions nothing tells which were mailed and which were
shown in a browser, so they count as shown; the others only ever went by mail.
"""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Lower

SHOWN, MAILED = 1, 2


def judge_old_links(apps, schema_editor):
    links = apps.get_model("practice", "PatientLink").objects
    links.exclude(purpose__in=["visit", "intake"]).update(proof=MAILED)


class Migration(migrations.Migration):
    dependencies = [("practice", "0006_cleanup_runs")]

    operations = [
        migrations.AddField(
            model_name="patient",
            name="is_provisional",
            field=models.BooleanField(
                default=False,
                editable=False,
                verbose_name="not confirmed yet",
                help_text="Typed by a visitor who has not yet used a link from this mailbox.",
            ),
        ),
        migrations.AddField(
            model_name="patient",
            name="merged_into",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged_from",
                to="practice.patient",
            ),
        ),
        migrations.RemoveConstraint(model_name="patient", name="patient_email_and_name_are_one_person"),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                Lower("email"),
                Lower("name"),
                condition=models.Q(("is_provisional", False)),
                name="patient_email_and_name_are_one_person",
                violation_error_message="Another patient has this name and this e-mail address.",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                Lower("email"),
                Lower("name"),
                condition=models.Q(("is_provisional", True), ("merged_into", None)),
                name="patient_is_provisional_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(("merged_into", None), ("is_provisional", True), _connector="OR"),
                name="patient_merges_only_while_provisional",
            ),
        ),
        migrations.AddField(
            model_name="patientlink",
            name="proof",
            field=models.PositiveSmallIntegerField(
                choices=[(1, "shown in a browser"), (2, "mailed"), (3, "confirmed")], default=SHOWN
            ),
            preserve_default=False,
        ),
        migrations.RunPython(judge_old_links, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="patientlink",
            constraint=models.CheckConstraint(
                condition=models.Q(("proof__in", [1, 2])), name="patient_link_is_shown_or_mailed"
            ),
        ),
        migrations.CreateModel(
            name="ConfirmationCode",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("wrong_tries", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(editable=False, null=True)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="confirmation_codes",
                        to="practice.patient",
                    ),
                ),
            ],
            options={"ordering": ["-created_at"]},
        ),
    ]
