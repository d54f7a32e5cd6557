"""Responses: the hip screen, saving page by page, the summary and the trend of scores."""
