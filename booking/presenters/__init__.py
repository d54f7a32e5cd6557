"""Contexts and steps that several pages share."""
