"""Parse the stored form of a questionnaire, FHIR R4 JSON. Pure."""
