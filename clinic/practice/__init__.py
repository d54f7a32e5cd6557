"""The clinic and its people: patients, their links, therapists and users. Other rooms register callbacks here."""
