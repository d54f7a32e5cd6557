"""Pages that show the messages kept by the mail sink, under /_mail/."""
