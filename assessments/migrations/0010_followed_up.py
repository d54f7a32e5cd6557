"""What staff did about each flag, in an append-only table, and since when each flag waits for them."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import clinic.audit.fields

# Flags that staff had acknowledged before get the follow-up that this press now writes.
KEEP_ACKNOWLEDGMENTS = """
INSERT INTO assessments_flagfollowup
    (id, flag_id, kind, at, by_id, reached, outcome, finding, settles, note, raised_at, level, rule_version, version)
SELECT gen_random_uuid(), id, 'acknowledged', staff_acknowledged_at, staff_acknowledged_by_id, '', '', '', TRUE, NULL,
    raised_at, level, rule_version, 1
FROM assessments_flag WHERE staff_acknowledged_at IS NOT NULL;
"""
APPEND_ONLY = """
CREATE FUNCTION assessments_keep_follow_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'follow-ups are append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER follow_up_is_append_only BEFORE UPDATE ON assessments_flagfollowup
    FOR EACH ROW WHEN (to_jsonb(NEW) - 'note' IS DISTINCT FROM to_jsonb(OLD) - 'note')
    EXECUTE FUNCTION assessments_keep_follow_up();
"""
CHANGEABLE = """
DROP TRIGGER follow_up_is_append_only ON assessments_flagfollowup;
DROP FUNCTION assessments_keep_follow_up();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("assessments", "0009_admin_words"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="flag",
            name="version",
            field=models.PositiveIntegerField(
                db_default=1,
                default=1,
                editable=False,
                help_text="Rises when the flag is raised again or followed up. Forms of an older version are refused.",
            ),
        ),
        migrations.AddField(
            model_name="flag",
            name="waiting_since",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.CreateModel(
            name="FlagFollowUp",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("acknowledged", "marked as handled"),
                            ("followed-up", "followed up"),
                            ("reopened", "reopened"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "reached",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("phone", "by phone"),
                            ("text", "by text message, and they answered"),
                            ("email", "by email, and they answered"),
                            ("in-person", "in person"),
                            ("not-reached", "not reached"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("talked", "talked it through"),
                            ("left-message", "left a message"),
                            ("emergency-care", "told to go to emergency care"),
                            ("referred", "referred to a doctor"),
                            ("seen", "seen at the clinic"),
                            ("doctor-found", "heard what the doctor found"),
                            ("no-action", "no action needed"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                (
                    "finding",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("confirmed", "the concern was confirmed"),
                            ("ruled-out", "the concern was ruled out"),
                            ("something-else", "something else that needs care"),
                            ("unknown", "not known yet"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("settles", models.BooleanField(default=False)),
                ("note", clinic.audit.fields.EncryptedJSONField(null=True)),
                ("raised_at", models.DateTimeField()),
                (
                    "level",
                    models.CharField(
                        choices=[("E", "emergency"), ("U", "urgent"), ("T", "tell the therapist")], max_length=1
                    ),
                ),
                ("rule_version", models.PositiveSmallIntegerField()),
                ("version", models.PositiveIntegerField(help_text="The flag’s version after this entry.")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "flag",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="follow_ups", to="assessments.flag"
                    ),
                ),
            ],
            options={
                "verbose_name": "follow-up of a flag",
                "verbose_name_plural": "follow-ups of flags",
                "ordering": ["version"],
                "constraints": [
                    models.UniqueConstraint(fields=("flag", "version"), name="follow_up_version_once_per_flag"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["acknowledged", "followed-up", "reopened"])),
                        name="follow_up_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reached__in", ["", "phone", "text", "email", "in-person", "not-reached"])),
                        name="follow_up_reached_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "outcome__in",
                                [
                                    "",
                                    "talked",
                                    "left-message",
                                    "emergency-care",
                                    "referred",
                                    "seen",
                                    "doctor-found",
                                    "no-action",
                                ],
                            )
                        ),
                        name="follow_up_outcome_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("finding__in", ["", "confirmed", "ruled-out", "something-else", "unknown"])
                        ),
                        name="follow_up_finding_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("level__in", ["E", "U", "T"])), name="follow_up_level_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                models.Q(("kind", "followed-up"), _negated=True),
                                ("finding", ""),
                                ("outcome", ""),
                                ("reached", ""),
                            ),
                            models.Q(
                                ("kind", "followed-up"),
                                models.Q(
                                    models.Q(("outcome", ""), _negated=True),
                                    ("reached", "not-reached"),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="follow_up_says_what_was_done_or_that_no_one_was_reached",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", "doctor-found"), models.Q(("finding", ""), _negated=True)),
                            models.Q(models.Q(("outcome", "doctor-found"), _negated=True), ("finding", "")),
                            _connector="OR",
                        ),
                        name="follow_up_has_a_finding_only_from_a_doctor",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reached", "not-reached"), _negated=True),
                            models.Q(("outcome__in", ["", "left-message"]), ("settles", False)),
                            _connector="OR",
                        ),
                        name="follow_up_without_reaching_the_patient_settles_nothing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", "left-message"), _negated=True),
                            ("reached", "not-reached"),
                            _connector="OR",
                        ),
                        name="follow_up_reaches_no_one_by_a_message",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome__in", ["talked", "emergency-care"]), _negated=True),
                            models.Q(("reached", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="follow_up_by_talking_reaches_the_patient",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", "seen"), _negated=True), ("reached", "in-person"), _connector="OR"
                        ),
                        name="follow_up_at_the_clinic_is_in_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind", "followed-up"),
                            models.Q(("kind", "acknowledged"), ("settles", True)),
                            models.Q(("kind", "reopened"), ("settles", False)),
                            _connector="OR",
                        ),
                        name="follow_up_settles_by_its_kind",
                    ),
                ],
            },
        ),
        migrations.RunSQL("UPDATE assessments_flag SET waiting_since = raised_at", migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, CHANGEABLE),
        migrations.RunSQL(KEEP_ACKNOWLEDGMENTS, migrations.RunSQL.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),  # before the tables change again
    ]
