"""Questionnaires: model, conditions, checks, scores. Pure."""
