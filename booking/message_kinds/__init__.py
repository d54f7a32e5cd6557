"""One file a message kind, found by `register_kinds`: a new kind is a new file here, plus its template if it has its own."""
