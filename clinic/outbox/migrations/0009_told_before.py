from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outbox", "0008_inbound_texts")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="told_before",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="Digest of what the reader knows, for news that is dropped once it is so again.",
                max_length=40,
            ),
        ),
    ]
