"""Child processes, the state folder and its lock, ports, and the user that Postgres runs as."""
