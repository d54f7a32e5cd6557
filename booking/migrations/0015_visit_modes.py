import django.contrib.postgres.fields
from django.db import migrations, models

import booking.models.service

COLUMNS = ("in_person", "by_video", "by_phone")
# The columns stay for the processes of the release before, and are dropped a release later.
GIVE_DEFAULTS = """
    ALTER TABLE booking_service
        ALTER COLUMN in_person SET DEFAULT true,
        ALTER COLUMN by_video SET DEFAULT false,
        ALTER COLUMN by_phone SET DEFAULT false"""
DROP_DEFAULTS = """
    ALTER TABLE booking_service
        ALTER COLUMN in_person DROP DEFAULT,
        ALTER COLUMN by_video DROP DEFAULT,
        ALTER COLUMN by_phone DROP DEFAULT"""
READ_COLUMNS = """
    UPDATE booking_service SET offered_modes = array_remove(ARRAY[
        CASE WHEN in_person THEN 'in_person' END, CASE WHEN by_video THEN 'video' END, CASE WHEN by_phone THEN 'phone' END
    ], NULL)"""
WRITE_COLUMNS = """
    UPDATE booking_service SET
        in_person = 'in_person' = ANY (offered_modes),
        by_video = 'video' = ANY (offered_modes),
        by_phone = 'phone' = ANY (offered_modes)"""


class Migration(migrations.Migration):
    dependencies = [("booking", "0014_defaults")]

    operations = [
        migrations.RemoveConstraint(model_name="appointment", name="appointment_mode_is_known"),
        migrations.RemoveConstraint(model_name="service", name="service_happens_in_some_way"),
        migrations.RemoveConstraint(model_name="waitlistentry", name="wait_list_mode_is_known"),
        migrations.AddField(
            model_name="service",
            name="offered_modes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("in_person", "In person: the patient comes to the clinic."),
                        ("video", "By video: you send the patient a link before the visit."),
                        ("phone", "By phone: you call the patient at the time of the visit."),
                    ],
                    max_length=10,
                ),
                db_default=["in_person"],
                default=booking.models.service.default_modes,
                size=None,
                verbose_name="how",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField(model_name="service", name=name) for name in COLUMNS],
            database_operations=[
                migrations.RunSQL(READ_COLUMNS, WRITE_COLUMNS),
                migrations.RunSQL(GIVE_DEFAULTS, DROP_DEFAULTS),
            ],
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["in_person", "video", "phone"])), name="appointment_mode_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.CheckConstraint(
                condition=models.Q(("offered_modes", []), _negated=True),
                name="service_happens_in_some_way",
                violation_error_message="Choose at least one way to meet.",
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.CheckConstraint(
                condition=models.Q(("offered_modes__contained_by", ["in_person", "video", "phone"])),
                name="service_modes_are_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="waitlistentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["in_person", "video", "phone"])), name="wait_list_mode_is_known"
            ),
        ),
    ]
