"""Planning messages about a visit, their relevance, and what they say of it."""
