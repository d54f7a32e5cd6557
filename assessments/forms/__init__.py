"""Forms: the pages of a questionnaire, the identity check, and the upload of a questionnaire."""
