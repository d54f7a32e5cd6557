from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("booking", "0007_no_networks")]

    operations = [
        migrations.AddField(
            model_name="service",
            name="late_fee_cents",
            field=models.PositiveIntegerField(
                default=0,
                help_text="For a change or a no-show after online changes close. In cents: 4000 is $40; 0: none.",
                verbose_name="late fee (cents)",
            ),
        ),
        migrations.AddField(
            model_name="service",
            name="is_first_late_free",
            field=models.BooleanField(
                default=True,
                help_text="Said beside the late fee; you decide when you bill.",
                verbose_name="the first time is free",
            ),
        ),
        migrations.AddField(
            model_name="service",
            name="late_fee_note",
            field=models.CharField(
                blank=True,
                help_text="One more sentence about it, such as when you waive it.",
                max_length=200,
            ),
        ),
        migrations.AddField(
            model_name="appointment",
            name="not_coming_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the patient said so, too late to cancel online.",
                null=True,
                verbose_name="cannot come",
            ),
        ),
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
                    ("not_coming", "said they cannot come"),
                ],
                max_length=12,
            ),
        ),
    ]
