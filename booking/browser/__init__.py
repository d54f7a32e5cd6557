"""What a browser brings along: choices in the query string, and signed cookies."""
