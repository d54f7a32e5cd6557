"""Assessments in the admin. Nothing here changes an answer."""

from .flags import FlagAdmin
from .questionnaires import QuestionnaireAdmin
from .responses import ResponseAdmin
from .rules import RuleSignOffAdmin

__all__ = ["FlagAdmin", "QuestionnaireAdmin", "ResponseAdmin", "RuleSignOffAdmin"]
