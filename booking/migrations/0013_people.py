import idna
from django.db import migrations, models

PHONE = r"^\+[1-9][0-9]{6,14}(;ext=[0-9]{1,10})?$"


def in_ascii(address):
    """`address` with its domain by IDNA 2008; as it is where that is none."""
    local, at, domain = address.strip().rpartition("@")
    try:
        return f"{local}{at}{idna.encode(domain, uts46=True, transitional=False).decode('ascii').lower()}"
    except (idna.IDNAError, UnicodeError):
        return address.strip()


def write_domains_in_ascii(apps, schema_editor):
    """Addresses that are not written to, and those that asked for a link: looked up as patients' are kept from now on."""
    for app, name, field in (("outbox", "Suppression", "address"), ("booking", "ReturnRequest", "email")):
        model = apps.get_model(app, name)
        for row in model.objects.filter(**{f"{field}__regex": r"@.*[^\x01-\x7f]"}).iterator():
            address = in_ascii(getattr(row, field)).lower()
            if name == "ReturnRequest" or not model.objects.filter(channel=row.channel, address=address).exists():
                model.objects.filter(pk=row.pk).update(**{field: address})


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0012_waiting_zone"),
        ("outbox", "0008_inbound_texts"),
        ("practice", "0011_people"),
    ]

    operations = [
        migrations.RunPython(write_domains_in_ascii, migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="appointment", name="appointment_other_phone_is_e164"),
        migrations.AlterField(
            "appointment",
            "other_phone",
            models.CharField(
                blank=True,
                help_text="The number given with this booking, where the patient’s own is another; nobody vouched for it.",
                max_length=32,
            ),
        ),
        # Going back, extensions are cut off: the column had no room for them.
        migrations.RunSQL(
            migrations.RunSQL.noop,
            [
                "UPDATE booking_appointment SET other_phone = split_part(other_phone, ';ext=', 1) "
                "WHERE other_phone LIKE '%;ext=%'",
                "SET CONSTRAINTS ALL IMMEDIATE",
            ],
        ),
        migrations.AddConstraint(
            "appointment",
            models.CheckConstraint(
                condition=models.Q(("other_phone", ""), ("other_phone__regex", PHONE), _connector="OR"),
                name="appointment_other_phone_is_e164",
            ),
        ),
    ]
