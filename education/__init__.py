"""Articles: text, sources, reviews, publishing and search. Also self-checks for readers."""
