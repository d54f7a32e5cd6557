"""Pages of booking: `choose` a time, give `details`, `manage` the visit."""
