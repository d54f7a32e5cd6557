"""Access: patient links, proof, step-up, sign-in, permissions, rate limits."""
