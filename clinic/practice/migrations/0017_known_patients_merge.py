import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("practice", "0016_staff_by_role"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="patient",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("export_patient", "Can export a patient's record"),
                    ("merge_patient", "Can merge two records of one patient"),
                    ("erase_patient", "Can erase a patient's record"),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="patient",
            name="patient_merges_only_while_provisional",
        ),
        migrations.RemoveConstraint(
            model_name="patient",
            name="patient_email_and_name_are_one_person",
        ),
        migrations.RemoveConstraint(
            model_name="patient",
            name="patient_phone_and_name_are_one_person",
        ),
        migrations.AddField(
            model_name="patient",
            name="erased_at",
            field=models.DateTimeField(
                editable=False,
                help_text="When staff erased the patient's name, contact details and answers.",
                null=True,
                verbose_name="erased",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"),
                models.F("name_key"),
                condition=models.Q(
                    ("is_provisional", False), ("merged_into", None), models.Q(("email", ""), _negated=True)
                ),
                name="patient_email_and_name_are_one_person",
                violation_error_message="Another patient has this name and this email address.",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("email", ""),
                    ("is_provisional", False),
                    ("merged_into", None),
                    models.Q(("phone", ""), _negated=True),
                ),
                fields=("phone", "name_key"),
                name="patient_phone_and_name_are_one_person",
                violation_error_message="Another patient without an email address has this name and this phone number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into", None), models.Q(("merged_into", models.F("pk")), _negated=True), _connector="OR"
                ),
                name="patient_is_not_merged_into_itself",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("erased_at", None),
                    models.Q(("birth_on", None), ("email__endswith", "@erased.invalid"), ("phone", "")),
                    _connector="OR",
                ),
                name="patient_erased_has_no_contact_details",
            ),
        ),
    ]
