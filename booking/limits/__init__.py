"""Rate limits of booking: the charges of each action, and the pages shown when a limit is exceeded."""
