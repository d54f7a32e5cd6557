import django.contrib.postgres.indexes
import django.db.models.functions.text
import idna
from django.db import migrations, models

PHONE = r"^\+[1-9][0-9]{6,14}(;ext=[0-9]{1,10})?$"

# Names as people compare them: compatible characters and letter case folded, accents dropped, the letters that no accent
# explains spelled out, "Moore, Alice" turned around unless what follows the comma is a suffix, apostrophes and full stops
# left out, hyphens as spaces. Scripts without these signs stay as they are. Every function in it is immutable.
MAKE_NAME_KEY = r"""
    CREATE FUNCTION practice_name_key(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $key$
        SELECT btrim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
            replace(replace(replace(replace(translate(
                lower(regexp_replace(normalize(replace(name, '´', ''''), NFKD), '[\u0300-\u036f]', '', 'g')),
                'øłđħıð', 'oldhid'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
            '^([^,]+),\s*(?!\s*(?:jr|sr|ii|iii|iv|md|pt|dpt|phd|esq)\.?\s*$)([^,]+)$', '\2 \1'),
            '[''’ʼ‘`.]', '', 'g'),
            '[-‐‑‒–—,/()"“”]', ' ', 'g'),
            '\s+', ' ', 'g'))
    $key$;
"""
SAME_PERSON = """
    SELECT string_agg(id::text, ', ') FROM practice_patient WHERE merged_into_id IS NULL AND email <> ''
    GROUP BY is_provisional, lower(email), name_key HAVING count(*) > 1
    UNION ALL
    SELECT string_agg(id::text, ', ') FROM practice_patient WHERE NOT is_provisional AND email = '' AND phone <> ''
    GROUP BY phone, name_key HAVING count(*) > 1
"""


def in_ascii(address):
    """`address` with its domain by IDNA 2008; as it is where that is none."""
    local, at, domain = address.strip().rpartition("@")
    try:
        return f"{local}{at}{idna.encode(domain, uts46=True, transitional=False).decode('ascii').lower()}"
    except (idna.IDNAError, UnicodeError):
        return address.strip()


def write_domains_in_ascii(apps, schema_editor):
    """Addresses with a domain beyond ASCII, as the forms keep them from now on."""
    for name in ("Patient", "User", "Clinic"):
        model = apps.get_model("practice", name)
        for row in model.objects.filter(email__regex=r"@.*[^\x01-\x7f]").only("email").iterator():
            model.objects.filter(pk=row.pk).update(email=in_ascii(row.email))


def refuse_two_rows_of_one_person(apps, schema_editor):
    """Rows that differ only in how a name is spelled cannot both stay; which of them does is for a person to decide."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(SAME_PERSON)
        same = [ids for (ids,) in cursor.fetchall()]
    if same:
        raise RuntimeError(
            "These patients have one e-mail address, or without any one phone number, and one name, spelled in two ways. "
            f"Correct the name, the address or the number of one of each in the admin (/admin/practice/patient/ID/change/), then migrate again: {'; '.join(same)}"
        )


class Migration(migrations.Migration):
    dependencies = [("practice", "0010_first_names")]

    operations = [
        # Undone by nothing: the search of articles needs it as well.
        migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS pg_trgm", migrations.RunSQL.noop),
        migrations.RunSQL(MAKE_NAME_KEY, "DROP FUNCTION practice_name_key(text)"),
        migrations.RemoveConstraint(model_name="clinic", name="clinic_phone_is_e164"),
        migrations.RemoveConstraint(model_name="patient", name="patient_phone_is_e164"),
        migrations.RemoveConstraint(model_name="patient", name="patient_email_and_name_are_one_person"),
        migrations.RemoveConstraint(model_name="patient", name="patient_is_provisional_once"),
        migrations.RunPython(write_domains_in_ascii, migrations.RunPython.noop),
        migrations.AlterField("clinic", "phone", models.CharField(blank=True, max_length=32)),
        migrations.AlterField("patient", "phone", models.CharField(blank=True, max_length=32)),
        # Going back, extensions are cut off: the column had no room for them.
        migrations.RunSQL(
            migrations.RunSQL.noop,
            [
                "UPDATE practice_clinic SET phone = split_part(phone, ';ext=', 1) WHERE phone LIKE '%;ext=%'",
                "UPDATE practice_patient SET phone = split_part(phone, ';ext=', 1) WHERE phone LIKE '%;ext=%'",
                "SET CONSTRAINTS ALL IMMEDIATE",
            ],
        ),
        migrations.AlterField(
            "patient",
            "email",
            models.EmailField(
                blank=True,
                help_text="Without one we can only call them, or text those who agreed to it.",
                max_length=254,
            ),
        ),
        migrations.AddField(
            "patient",
            "name_key",
            models.GeneratedField(
                db_persist=True,
                expression=models.Func("name", function="practice_name_key", output_field=models.TextField()),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddField(
            "patient",
            "search_text",
            models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Concat(
                    models.Func("name", function="practice_name_key", output_field=models.TextField()),
                    models.Value(" "),
                    django.db.models.functions.text.Lower("email"),
                    models.Value(" "),
                    models.Func(
                        "phone",
                        models.Value("\\D"),
                        models.Value(""),
                        models.Value("g"),
                        function="regexp_replace",
                        output_field=models.TextField(),
                    ),
                    output_field=models.TextField(),
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.RunPython(refuse_two_rows_of_one_person, migrations.RunPython.noop),
        migrations.AddIndex(
            "patient",
            django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("search_text", name="gin_trgm_ops"), name="patient_search"
            ),
        ),
        migrations.AddIndex("patient", models.Index(fields=["name_key"], name="patient_by_name_key")),
        migrations.AddConstraint(
            "clinic",
            models.CheckConstraint(
                condition=models.Q(("phone", ""), ("phone__regex", PHONE), _connector="OR"), name="clinic_phone_is_e164"
            ),
        ),
        migrations.AddConstraint(
            "patient",
            models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"),
                models.F("name_key"),
                condition=models.Q(("is_provisional", False), models.Q(("email", ""), _negated=True)),
                name="patient_email_and_name_are_one_person",
                violation_error_message="Another patient has this name and this e-mail address.",
            ),
        ),
        migrations.AddConstraint(
            "patient",
            models.UniqueConstraint(
                condition=models.Q(("email", ""), ("is_provisional", False), models.Q(("phone", ""), _negated=True)),
                fields=("phone", "name_key"),
                name="patient_phone_and_name_are_one_person",
                violation_error_message="Another patient without an e-mail address has this name and this phone number.",
            ),
        ),
        migrations.AddConstraint(
            "patient",
            models.CheckConstraint(
                condition=models.Q(("is_provisional", False), models.Q(("email", ""), _negated=True), _connector="OR"),
                name="patient_has_an_address_while_provisional",
            ),
        ),
        migrations.AddConstraint(
            "patient",
            models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"),
                models.F("name_key"),
                condition=models.Q(("is_provisional", True), ("merged_into", None)),
                name="patient_is_provisional_once",
            ),
        ),
        migrations.AddConstraint(
            "patient",
            models.CheckConstraint(
                condition=models.Q(("phone", ""), ("phone__regex", PHONE), _connector="OR"),
                name="patient_phone_is_e164",
            ),
        ),
    ]
