"""Patients can ask for their first name in messages."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("practice", "0009_unreviewed_articles")]

    operations = [
        migrations.AddField(
            "patient",
            "first_name_since",
            models.DateTimeField(
                blank=True,
                editable=False,
                help_text="Since when the patient wants their first name in emails and texts. Empty: messages name nobody.",
                null=True,
                verbose_name="first name in messages since",
            ),
        )
    ]
