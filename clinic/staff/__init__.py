"""Members of staff: roles, sign-in, invitations, and the admin's error pages and messages."""
