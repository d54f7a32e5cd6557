"""One file per message kind, found by `register_kinds`. A new kind is a new file here, plus its template if it has one."""
