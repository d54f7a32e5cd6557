"""Parse stored questionnaires, which are FHIR R4 JSON. Pure."""
