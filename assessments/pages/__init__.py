"""The pages on which patients answer, and their forms."""
