"""Saves in the admin that other rooms check first."""
