"""The stored form of a questionnaire, FHIR R4 JSON, and reading it. Pure."""
