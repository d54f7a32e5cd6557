from django.db import migrations, models
from django.db.models import F, OuterRef, Q, Subquery

TERMS = ("price_cents", "late_fee_cents", "is_first_late_free", "late_fee_note")


def agree_on_todays_terms(apps, schema_editor):
    """What was agreed for visits until now was not kept; the service's terms of today are the best record there is."""
    Appointment, Service = apps.get_model("booking", "Appointment"), apps.get_model("booking", "Service")
    service = Service.objects.filter(pk=OuterRef("service"))
    Appointment.objects.update(**{name: Subquery(service.values(name)) for name in TERMS})


def settle_arrivals(apps, schema_editor):
    """What the new constraints require. Visits that are over with an arrival are completed by the first sweep."""
    Appointment = apps.get_model("booking", "Appointment")
    Appointment.objects.filter(status__in=("held", "cancelled"), arrived_at__isnull=False).update(arrived_at=None)
    Appointment.objects.filter(status="completed", arrived_at=None).update(arrived_at=F("starts_at"))


def guess_purposes(apps, schema_editor):
    """From the slug, else from how the service happens: free of charge and never in person, it is a first call."""
    Service = apps.get_model("booking", "Service")
    unknown = Service.objects.filter(purpose="other")
    unknown.filter(slug__contains="follow").update(purpose="follow_up")
    unknown.filter(slug__contains="evaluation").update(purpose="evaluation")
    is_free_call = Q(in_person=False, price_cents=0)
    unknown.filter(Q(slug__regex=r"(^|-)call(-|$)") | is_free_call).update(purpose="call")


class Migration(migrations.Migration):
    dependencies = [("booking", "0009_schedule_rules")]

    operations = [
        migrations.AddField(
            model_name="appointment",
            name="guardian_name",
            field=models.CharField(
                blank=True,
                help_text="Who booked for a patient under 18; empty where the patient booked.",
                max_length=120,
                verbose_name="parent or guardian",
            ),
        ),
        migrations.AddField(
            model_name="appointment",
            name="is_first_late_free",
            field=models.BooleanField(
                default=True,
                help_text="Said beside the late fee; you decide when you bill.",
                verbose_name="the first time is free",
            ),
        ),
        migrations.AddField(
            model_name="appointment",
            name="late_fee_cents",
            field=models.PositiveIntegerField(
                default=0,
                help_text="For a change or a no-show after online changes close. In cents: 4000 is $40; 0: none.",
                verbose_name="late fee (cents)",
            ),
        ),
        migrations.AddField(
            model_name="appointment",
            name="late_fee_note",
            field=models.CharField(
                blank=True, help_text="One more sentence about it, such as when you waive it.", max_length=200
            ),
        ),
        migrations.AddField(
            model_name="appointment",
            name="price_cents",
            field=models.PositiveIntegerField(
                default=0, help_text="In cents: 15000 is $150; 0 is shown as free.", verbose_name="price (cents)"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="service",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("call", "call: a first talk, before any visit"),
                    ("evaluation", "evaluation: a first visit"),
                    ("follow_up", "follow-up: for patients who have been here"),
                    ("other", "other"),
                ],
                default="other",
                help_text="A follow-up can be booked online only by patients who have been here; staff can book it for anyone.",
                max_length=10,
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
                    ("arrived_undo", "arrival undone"),
                    ("no_show", "did not come"),
                    ("no_show_undo", "no-show undone"),
                    ("address", "address corrected"),
                    ("not_coming", "said they cannot come"),
                    ("off_schedule", "kept, though outside the schedule"),
                ],
                max_length=12,
            ),
        ),
        migrations.RunPython(agree_on_todays_terms, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(settle_arrivals, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(guess_purposes, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(
                condition=Q(("arrived_at__isnull", False), ("status", "booked")),
                fields=["ends_at"],
                name="appointment_to_complete",
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.CheckConstraint(
                condition=Q(("arrived_at__isnull", True), ("status", "completed"), _negated=True),
                name="appointment_completed_has_arrived",
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.CheckConstraint(
                condition=Q(("arrived_at__isnull", False), ("status__in", ["held", "cancelled"]), _negated=True),
                name="appointment_arrived_is_not_held_nor_cancelled",
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.CheckConstraint(
                condition=Q(("purpose__in", ["call", "evaluation", "follow_up", "other"])),
                name="service_purpose_is_known",
            ),
        ),
    ]
