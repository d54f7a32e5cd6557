"""What staff see beside the admin of a model: Today, and a change of time zone."""
