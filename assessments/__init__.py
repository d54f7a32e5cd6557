"""Questionnaires, answers, red flags and what the therapist reads of them."""
