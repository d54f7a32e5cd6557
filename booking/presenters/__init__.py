"""What the pages show: contexts shared by views, cookies, and rate limits."""
