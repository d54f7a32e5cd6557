"""Questionnaires: model, conditions, checks of answers, scores. Pure."""
