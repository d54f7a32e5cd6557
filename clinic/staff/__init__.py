"""The admin for the whole house: roles of staff, error pages, messages to staff."""
