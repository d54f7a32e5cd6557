"""The clinic and its people: patients, their links, therapists, users, the registry of what rooms hold of a patient."""
