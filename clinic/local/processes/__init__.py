"""Start processes, watch and stop them: the state folder and its lock, ports, the user that Postgres runs as."""
