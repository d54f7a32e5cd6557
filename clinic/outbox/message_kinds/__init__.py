"""One file a message kind."""
