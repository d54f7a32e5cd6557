"""Saving in the admin: stale forms, and checks registered by other rooms."""
