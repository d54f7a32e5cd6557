"""What the views of every room share: redirects, headers, page addresses, and the models that public pages show."""
