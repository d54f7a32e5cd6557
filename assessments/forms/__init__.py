"""Forms: what patients answer page by page, how they confirm who they are, and the upload of a questionnaire."""
