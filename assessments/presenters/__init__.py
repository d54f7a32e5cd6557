"""Shared code of the pages: access to stored answers, and the order of the hip screen."""
