"""Articles and clinic pages: their text, sources, review dates, search and publishing."""
