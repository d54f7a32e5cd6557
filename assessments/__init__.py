"""Questionnaires, answers, red flags, and their summary for the therapist."""
