"""Text and times: placeholders, GSM length, replies, quiet hours, time limits. Pure."""
