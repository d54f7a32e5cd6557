"""Assessments in the admin. Answers are read-only here."""

from assessments.admin.flags import FlagAdmin
from assessments.admin.questionnaires import QuestionnaireAdmin
from assessments.admin.responses import ResponseAdmin
from assessments.admin.rules import RuleSignOffAdmin

__all__ = ["FlagAdmin", "QuestionnaireAdmin", "ResponseAdmin", "RuleSignOffAdmin"]
