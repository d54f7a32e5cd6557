"""The message kinds of assessments, one per file; `register_kinds` finds them."""
