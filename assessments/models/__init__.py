"""Questionnaires, patients' responses, and the flags, follow-ups, scores and alerts that result from them."""

from assessments.models.flags import Flag, RuleSignOff, StaffAlert, rule_key
from assessments.models.follow_ups import Finding, FlagFollowUp, FollowUpKind, Outcome, Reached
from assessments.models.levels import FIRST_REVIEW_WITHIN, Level
from assessments.models.responses import Questionnaire, Response, ResponseStatus, Score

__all__ = [
    "FIRST_REVIEW_WITHIN",
    "Finding",
    "Flag",
    "FlagFollowUp",
    "FollowUpKind",
    "Level",
    "Outcome",
    "Questionnaire",
    "Reached",
    "Response",
    "ResponseStatus",
    "RuleSignOff",
    "Score",
    "StaffAlert",
    "rule_key",
]
