"""Parse questionnaires from FHIR R4 JSON. Pure."""
