"""What the views of every room share: redirects, headers, and the public address of a page."""
