"""Data for staff pages outside the models' own admin: Today, and the preview of a time zone change."""
