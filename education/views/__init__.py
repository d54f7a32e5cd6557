"""The public pages of education: articles, search, checks, pictures, sitemap and feed."""
