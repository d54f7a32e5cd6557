"""The forms of booking: one module for each kind of reader."""
