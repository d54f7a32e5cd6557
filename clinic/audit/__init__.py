"""Who read or changed what about a patient (append-only), and the encryption of what patients tell us."""
