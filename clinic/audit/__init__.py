"""The audit log of access to patients' records (append-only), and the encryption of patients' answers."""
