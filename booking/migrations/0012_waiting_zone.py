from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("booking", "0011_moves")]

    operations = [
        migrations.AddField(
            model_name="waitlistentry",
            name="time_zone",
            field=models.CharField(
                blank=True,
                help_text="IANA name of the zone in which a caller means the days and the part of the day; empty for the clinic's.",
                max_length=64,
                verbose_name="clock",
            ),
        ),
        migrations.AlterField(
            model_name="waitlistentry",
            name="part_of_day",
            field=models.CharField(
                blank=True,
                choices=[("before-work", "before work"), ("lunch", "around lunch"), ("after-work", "after work")],
                help_text="Empty: any time.",
                max_length=12,
            ),
        ),
    ]
