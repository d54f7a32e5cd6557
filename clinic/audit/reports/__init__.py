"""What the audit log tells: who has seen a patient, and which reads were unusual."""
