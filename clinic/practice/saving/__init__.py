"""Saving in the admin: stale forms, and checks that other rooms register."""
