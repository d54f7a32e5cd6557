import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0013_people"),
    ]

    operations = [
        migrations.AlterField(
            model_name="appointment",
            name="guardian_name",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Who booked for a patient under 18; empty where the patient booked.",
                max_length=120,
                verbose_name="parent or guardian",
            ),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="is_first_late_free",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Said beside the late fee; you decide when you bill.",
                verbose_name="the first time is free",
            ),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="late_fee_cents",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="For a change or a no-show after online changes close. In cents: 4000 is $40; 0: none.",
                verbose_name="late fee (cents)",
            ),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="late_fee_note",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="One more sentence about it, such as when you waive it.",
                max_length=200,
            ),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="off_schedule_accepted",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=10),
                blank=True,
                db_default=[],
                default=list,
                editable=False,
                help_text="Why the schedule would not offer this visit, as far as staff have said that it may stand.",
            ),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="price_cents",
            field=models.PositiveIntegerField(
                db_default=0, help_text="In cents: 15000 is $150; 0 is shown as free.", verbose_name="price (cents)"
            ),
        ),
        migrations.AlterField(
            model_name="appointmentevent",
            name="mode",
            field=models.CharField(
                blank=True,
                choices=[("in_person", "in person"), ("video", "by video"), ("phone", "by phone")],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="service",
            name="is_first_late_free",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Said beside the late fee; you decide when you bill.",
                verbose_name="the first time is free",
            ),
        ),
        migrations.AlterField(
            model_name="service",
            name="late_fee_cents",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="For a change or a no-show after online changes close. In cents: 4000 is $40; 0: none.",
                verbose_name="late fee (cents)",
            ),
        ),
        migrations.AlterField(
            model_name="service",
            name="late_fee_note",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="One more sentence about it, such as when you waive it.",
                max_length=200,
            ),
        ),
        migrations.AlterField(
            model_name="service",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("call", "call: a first talk, before any visit"),
                    ("evaluation", "evaluation: a first visit"),
                    ("follow_up", "follow-up: for patients who have been here"),
                    ("other", "other"),
                ],
                db_default="other",
                default="other",
                help_text="A follow-up can be booked online only by patients who have been here; staff can book it for anyone.",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="waitlistentry",
            name="time_zone",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="IANA name of the zone in which a caller means the days and the part of the day; empty for the clinic's.",
                max_length=64,
                verbose_name="clock",
            ),
        ),
    ]
