"""What staff see apart from the admin of each model: Today, and the effects of a new time zone."""
