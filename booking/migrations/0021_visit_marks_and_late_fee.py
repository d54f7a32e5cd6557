from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assessments", "0009_admin_words"),
        ("booking", "0020_source_article_right"),
        ("education", "0008_emergency_number_in_prose"),
        ("practice", "0017_merged_and_erased"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="appointment",
            name="finished_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="done"),
        ),
        migrations.AddField(
            model_name="appointment",
            name="here_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the patient said so on the page of the visit.",
                null=True,
                verbose_name="said “I’m here”",
            ),
        ),
        migrations.AddField(
            model_name="appointment",
            name="late_fee",
            field=models.CharField(
                blank=True,
                choices=[("charged", "charged"), ("waived", "waived")],
                db_default="",
                default="",
                help_text="Of a no-show or a late cancellation. Empty: not decided, or none was agreed.",
                max_length=7,
                verbose_name="decision on the late fee",
            ),
        ),
        migrations.AddField(
            model_name="appointment",
            name="started_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="began"),
        ),
        migrations.AlterField(
            model_name="appointmentevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("booked", "booked"),
                    ("confirmed", "confirmed"),
                    ("cancelled", "canceled"),
                    ("restored", "cancellation undone"),
                    ("moved", "moved"),
                    ("arrived", "arrived"),
                    ("arrived_undo", "arrival undone"),
                    ("no_show", "no-show"),
                    ("no_show_undo", "no-show undone"),
                    ("address", "address corrected"),
                    ("not_coming", "patient cannot come"),
                    ("off_schedule", "kept outside the schedule"),
                    ("here", "patient is here"),
                    ("here_undo", "patient is not here yet"),
                    ("started", "began"),
                    ("started_undo", "beginning undone"),
                    ("finished", "done"),
                    ("finish_undo", "end undone"),
                    ("fee_charged", "late fee charged"),
                    ("fee_waived", "late fee waived"),
                    ("fee_undo", "decision on the late fee undone"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("arrived_at__isnull", False),
                    models.Q(("finished_at__isnull", True), ("started_at__isnull", True)),
                    _connector="OR",
                ),
                name="appointment_started_and_finished_have_arrived",
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("started_at__isnull", True), ("started_at__gte", models.F("arrived_at")), _connector="OR"
                    ),
                    models.Q(
                        ("finished_at__isnull", True), ("finished_at__gte", models.F("arrived_at")), _connector="OR"
                    ),
                    models.Q(
                        ("finished_at__isnull", True),
                        ("started_at__isnull", True),
                        ("finished_at__gte", models.F("started_at")),
                        _connector="OR",
                    ),
                ),
                name="appointment_marks_are_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("here_at__isnull", True),
                    models.Q(
                        ("mode__in", ["in_person"]), models.Q(("status__in", ["held", "cancelled"]), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="appointment_here_is_at_the_clinic",
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.CheckConstraint(
                condition=models.Q(("late_fee__in", ["", "charged", "waived"])), name="appointment_late_fee_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("late_fee", ""),
                    models.Q(("late_fee_cents__gt", 0), ("status__in", ["cancelled", "no_show"])),
                    _connector="OR",
                ),
                name="appointment_late_fee_was_agreed_and_is_due",
            ),
        ),
    ]
