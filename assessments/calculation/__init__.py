"""Calculated answers: FHIRPath in a process of its own, and answers as FHIR response items."""
