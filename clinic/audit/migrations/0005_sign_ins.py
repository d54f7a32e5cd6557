import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

KINDS = [
    ("signed-in", "signed in"),
    ("failed", "failed to sign in"),
    ("throttled", "tried too often"),
    ("signed-out", "signed out"),
    ("timed-out", "signed out after a pause"),
    ("ended", "signed out from another session"),
    ("reset-asked", "asked for a new password"),
    ("password-changed", "changed the password"),
    ("factor-added", "added a second step"),
    ("factor-removed", "removed a second step"),
    ("recovery-used", "used a recovery code"),
    ("reauthenticated", "confirmed the sign-in"),
    ("invited", "invited"),
    ("roles-changed", "roles changed"),
    ("emergency", "let in by the emergency command"),
]

# The logs are only ever added to, also by their owner.
REFUSE_CHANGES = """
CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER access_event_is_not_truncated BEFORE TRUNCATE ON audit_accessevent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER sign_in_event_is_append_only BEFORE UPDATE OR DELETE ON audit_signinevent
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER sign_in_event_is_not_truncated BEFORE TRUNCATE ON audit_signinevent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
"""
ALLOW_CHANGES = """
DROP TRIGGER sign_in_event_is_not_truncated ON audit_signinevent;
DROP TRIGGER sign_in_event_is_append_only ON audit_signinevent;
DROP TRIGGER access_event_is_not_truncated ON audit_accessevent;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0004_admin_words"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SignInEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, max_length=20, verbose_name="what")),
                ("network", models.CharField(blank=True, max_length=43)),
                ("browser", models.CharField(blank=True, max_length=40)),
                ("at", models.DateTimeField(db_index=True, verbose_name="when")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "sign-in log entry",
                "verbose_name_plural": "sign-in log",
                "ordering": ["-at", "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", [kind for kind, _ in KINDS])),
                        name="sign_in_event_kind_is_known",
                    )
                ],
            },
        ),
        migrations.RunSQL(REFUSE_CHANGES, ALLOW_CHANGES),
    ]
