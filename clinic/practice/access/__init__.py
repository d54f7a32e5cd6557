"""Who may do what: links, proof, step-up, sign-in, rate limits."""
