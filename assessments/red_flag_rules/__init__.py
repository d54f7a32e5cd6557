"""Rules over answers: format, evaluation, states, coverage, near misses. Pure."""
