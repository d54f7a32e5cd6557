"""Postgres, Valkey and the mail sink, each started if the environment does not name one."""
