"""Forms for readers and editors."""
