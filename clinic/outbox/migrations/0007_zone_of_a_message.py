"""Whose clock a message goes by is written on it when it is planned. What waits already goes by the clinic's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outbox", "0006_deployment")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="time_zone",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The reader's, by which hours are quiet: an IANA name. Empty: the clinic's.",
                max_length=64,
            ),
            preserve_default=False,
        ),
    ]
