"""One file a message kind, found by `register_kinds`."""
