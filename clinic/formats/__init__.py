"""Django's named formats of dates and times."""
