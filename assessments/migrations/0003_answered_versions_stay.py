"""A version stays what it was also while its first response is only being written, and a response stays with its version."""

from django.db import migrations

# A change takes its row FOR UPDATE and so waits for responses that are being begun, which hold it FOR KEY SHARE (their
# foreign key, being deferred, would do so at the very end only). Publishing waits for nobody.
STAY = """
CREATE OR REPLACE FUNCTION assessments_keep_answered_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.definition, NEW.slug, NEW.version, NEW.title)
        IS DISTINCT FROM (OLD.definition, OLD.slug, OLD.version, OLD.title) THEN
        PERFORM 1 FROM assessments_questionnaire WHERE id = OLD.id FOR UPDATE;
        IF EXISTS (SELECT 1 FROM assessments_response WHERE questionnaire_id = OLD.id) THEN
            RAISE EXCEPTION 'this version has been answered' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION assessments_hold_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM assessments_questionnaire WHERE id = NEW.questionnaire_id FOR KEY SHARE;
    RETURN NEW;
END $$;
CREATE TRIGGER response_holds_its_version BEFORE INSERT ON assessments_response
    FOR EACH ROW EXECUTE FUNCTION assessments_hold_version();
CREATE FUNCTION assessments_keep_version_of_response() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a response stays with its version' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER response_stays_with_its_version BEFORE UPDATE OF questionnaire_id ON assessments_response
    FOR EACH ROW WHEN (NEW.questionnaire_id IS DISTINCT FROM OLD.questionnaire_id)
    EXECUTE FUNCTION assessments_keep_version_of_response();
"""
LEAVE = """
DROP TRIGGER response_stays_with_its_version ON assessments_response;
DROP FUNCTION assessments_keep_version_of_response();
DROP TRIGGER response_holds_its_version ON assessments_response;
DROP FUNCTION assessments_hold_version();
CREATE OR REPLACE FUNCTION assessments_keep_answered_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.definition, NEW.slug, NEW.version) IS DISTINCT FROM (OLD.definition, OLD.slug, OLD.version)
        AND EXISTS (SELECT 1 FROM assessments_response WHERE questionnaire_id = OLD.id) THEN
        RAISE EXCEPTION 'this version has been answered' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("assessments", "0002_alerts_and_sign_off")]

    operations = [migrations.RunSQL(STAY, LEAVE)]
