"""Articles: the library, search, editing, publishing, pictures."""
