"""Calculated answers: FHIRPath in a separate process, and answers as FHIR response items."""
