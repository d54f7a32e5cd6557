"""Tests that kill the servers under load and then check the data. `make fault-test` runs them."""
