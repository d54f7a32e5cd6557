"""Follow-ups of flags cannot be deleted. Erasing a patient removes their notes and keeps the rows."""

from django.db import migrations

KEEP = """
CREATE TRIGGER follow_up_is_not_deleted BEFORE DELETE ON assessments_flagfollowup
    FOR EACH ROW EXECUTE FUNCTION assessments_keep_follow_up();
"""
LET_GO = "DROP TRIGGER follow_up_is_not_deleted ON assessments_flagfollowup"


class Migration(migrations.Migration):
    dependencies = [("assessments", "0010_followed_up")]

    operations = [migrations.RunSQL(KEEP, LET_GO)]
