"""Which rule raised a flag is encrypted; the database keeps flags unique by a keyed hash of it."""

from django.db import migrations, models
from django.utils.crypto import salted_hmac

import clinic.audit.fields


def seal_rules(apps, schema_editor):
    for flag in apps.get_model("assessments", "Flag").objects.iterator(chunk_size=500):
        flag.rule_id = flag.plain_rule_id
        # As assessments.models.rule_key has it at this migration.
        words = f"{flag.response_id}:{flag.plain_rule_id}"
        flag.rule_key = salted_hmac("assessments.flag", words, algorithm="sha256").hexdigest()
        flag.closes_when_lowered = flag.plain_rule_id.startswith("UN")
        flag.save(update_fields=["rule_id", "rule_key", "closes_when_lowered"])


def open_rules(apps, schema_editor):
    for flag in apps.get_model("assessments", "Flag").objects.iterator(chunk_size=500):
        flag.plain_rule_id = flag.rule_id
        flag.save(update_fields=["plain_rule_id"])


class Migration(migrations.Migration):
    dependencies = [("assessments", "0005_canonical_identity"), ("audit", "0002_keys_in_use")]

    operations = [
        migrations.RemoveConstraint(model_name="flag", name="flag_once_per_response_and_rule"),
        migrations.RenameField(model_name="flag", old_name="rule_id", new_name="plain_rule_id"),
        migrations.AddField(model_name="flag", name="rule_id", field=clinic.audit.fields.EncryptedJSONField(null=True)),
        migrations.AddField(
            model_name="flag", name="rule_key", field=models.CharField(default="", editable=False, max_length=64)
        ),
        migrations.AddField(
            model_name="flag",
            name="closes_when_lowered",
            field=models.BooleanField(
                default=False,
                editable=False,
                help_text="Raised by an “I am not sure”: answered in full, it closes itself.",
            ),
        ),
        migrations.RunPython(seal_rules, open_rules),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),  # before the table changes again
        migrations.RemoveField(model_name="flag", name="plain_rule_id"),
        migrations.AlterField(model_name="flag", name="rule_id", field=clinic.audit.fields.EncryptedJSONField()),
        migrations.AlterField(
            model_name="flag", name="rule_key", field=models.CharField(editable=False, max_length=64)
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.UniqueConstraint(fields=("response", "rule_key"), name="flag_once_per_response_and_rule"),
        ),
    ]
