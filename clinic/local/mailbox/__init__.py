"""The pages that show what the mail sink has kept, under /_mail/."""
