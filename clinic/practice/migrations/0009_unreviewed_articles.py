from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("practice", "0008_rate_limits")]

    operations = [
        migrations.AddField(
            model_name="clinic",
            name="shows_unreviewed_articles",
            field=models.BooleanField(
                default=True,
                help_text="They say so themselves. Off: an article appears once its page in the admin names a reviewer.",
                verbose_name="show articles that no clinician has reviewed",
            ),
        ),
    ]
