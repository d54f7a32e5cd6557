"""Messages about a visit: planning, relevance and content."""
