"""Responses: the hip screen, saving page by page, summary and trend."""
