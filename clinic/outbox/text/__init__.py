"""Functions of text and hours: placeholders, GSM length, replies, quiet hours, time limits. Pure."""
