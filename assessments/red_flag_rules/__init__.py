"""Rules that read answers: format, evaluation, what is missing, training load. Pure."""
