import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.conf import settings
from django.db import migrations, models

# The patient of each row moves into the array. The trigger is off only for this statement, inside this transaction.
MOVE_PATIENTS = """
ALTER TABLE audit_accessevent DISABLE TRIGGER access_event_is_append_only;
UPDATE audit_accessevent SET
    patient_ids = CASE WHEN patient_id IS NULL THEN '{}'::uuid[] ELSE ARRAY[patient_id] END,
    patient_id = NULL,
    who = CASE WHEN actor_id IS NULL THEN '' ELSE 'staff' END;
ALTER TABLE audit_accessevent ENABLE TRIGGER access_event_is_append_only;
"""
MOVE_BACK = """
ALTER TABLE audit_accessevent DISABLE TRIGGER access_event_is_append_only;
UPDATE audit_accessevent SET patient_id = patient_ids[1];
ALTER TABLE audit_accessevent ENABLE TRIGGER access_event_is_append_only;
"""

# Processes of the previous release still write the old column until they are restarted. It is otherwise unused, and is
# dropped one release later.
ACCEPT_OLD_ROWS = """
CREATE FUNCTION audit_take_patient_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.patient_id IS NOT NULL THEN
        NEW.patient_ids := ARRAY[NEW.patient_id];
        NEW.patient_id := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER access_event_takes_patient_id BEFORE INSERT ON audit_accessevent
    FOR EACH ROW EXECUTE FUNCTION audit_take_patient_id();
"""
REFUSE_OLD_ROWS = """
DROP TRIGGER access_event_takes_patient_id ON audit_accessevent;
DROP FUNCTION audit_take_patient_id();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0005_sign_ins"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField(model_name="accessevent", name="patient_id")],
        ),
        migrations.AddField(
            model_name="accessevent",
            name="network",
            field=models.CharField(blank=True, db_default="", default="", max_length=43),
        ),
        migrations.AddField(
            model_name="accessevent",
            name="page",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="accessevent",
            name="patient_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), blank=True, db_default=models.Value("{}"), default=list
            ),
        ),
        migrations.AddField(
            model_name="accessevent",
            name="roles",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="accessevent",
            name="who",
            field=models.CharField(
                blank=True,
                choices=[
                    ("staff", "a member of staff"),
                    ("link", "a patient, by their link"),
                    ("outside", "a form or a text from outside"),
                    ("site", "the site itself"),
                ],
                db_default="",
                default="",
                max_length=7,
            ),
        ),
        migrations.RunSQL(MOVE_PATIENTS, MOVE_BACK),
        migrations.RunSQL(ACCEPT_OLD_ROWS, REFUSE_OLD_ROWS),
        migrations.AlterField(
            model_name="accessevent",
            name="object_id",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AlterField(
            model_name="accessevent",
            name="object_type",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddIndex(
            model_name="accessevent",
            index=django.contrib.postgres.indexes.GinIndex(fields=["patient_ids"], name="access_event_patients"),
        ),
        migrations.AddConstraint(
            model_name="accessevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("who__in", ["", "staff", "link", "outside", "site"])),
                name="access_event_who_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("who", ""),
                    models.Q(("actor__isnull", False), ("who", "staff")),
                    models.Q(models.Q(("who", "staff"), _negated=True), ("actor", None)),
                    _connector="OR",
                ),
                name="access_event_of_staff_has_an_actor",
            ),
        ),
    ]
