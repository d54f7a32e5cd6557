"""What survives when the servers are killed under load; `make fault-test` runs it."""
