"""Postgres, Valkey and the mail sink, each started where the environment names none."""
