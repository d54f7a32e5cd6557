"""The exercise library: its texts, versioned and waiting for a clinician's sign-off, and the drawings of each."""
