"""Data that a browser sends: choices in the query string, and signed cookies."""
