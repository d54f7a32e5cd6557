"""A clinic with a month of visits, for `make run`."""
