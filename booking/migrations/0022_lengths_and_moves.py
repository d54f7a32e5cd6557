import django.contrib.postgres.fields
import django.core.serializers.json
from django.db import migrations, models

# Until now the length of a visit never changed.
DESCRIBE_EVENTS = """
    UPDATE booking_appointmentevent AS event
    SET minutes = extract(epoch FROM visit.ends_at - visit.starts_at) / 60
    FROM booking_appointment AS visit
    WHERE visit.id = event.appointment_id AND event.minutes IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0021_visit_marks_and_late_fee"),
        ("practice", "0017_merged_and_erased"),
    ]

    operations = [
        migrations.AddField(
            model_name="appointmentevent",
            name="cleared",
            field=models.JSONField(
                encoder=django.core.serializers.json.DjangoJSONEncoder,
                help_text="What a move cleared from the visit: an undo restores it.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="appointmentevent",
            name="is_silent",
            field=models.BooleanField(
                db_default=False, default=False, help_text="A move of which staff chose not to tell the patient."
            ),
        ),
        migrations.AddField(
            model_name="appointmentevent",
            name="minutes",
            field=models.PositiveSmallIntegerField(
                help_text="The visit’s length after this change. Null in rows of an earlier release.", null=True
            ),
        ),
        migrations.AddField(
            model_name="service",
            name="other_minutes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveSmallIntegerField(),
                blank=True,
                db_default=[],
                default=list,
                help_text="Lengths that staff may choose for a single visit, such as 30, 60. Empty: none. The price stays the same.",
                verbose_name="other lengths (minutes)",
            ),
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
                    ("asked", "asked to choose another time"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "other_minutes__contained_by",
                        list(range(5, 481, 5)),
                    )
                ),
                name="service_other_lengths_are_whole_steps",
            ),
        ),
        migrations.RunSQL(DESCRIBE_EVENTS, migrations.RunSQL.noop),
    ]
