from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("booking", "0005_wait_list_and_calendars_read")]

    operations = [
        migrations.AlterField(
            model_name="appointmentevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("booked", "booked"),
                    ("confirmed", "confirmed"),
                    ("cancelled", "cancelled"),
                    ("restored", "cancelling undone"),
                    ("moved", "moved"),
                    ("arrived", "arrived"),
                    ("no_show", "did not come"),
                    ("address", "address corrected"),
                ],
                max_length=12,
            ),
        ),
    ]
