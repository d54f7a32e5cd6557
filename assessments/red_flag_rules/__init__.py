"""Rules that read answers: format, evaluation, coverage, near misses. Pure."""
