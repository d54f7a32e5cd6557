"""Tests of clinic/staff."""
