"""The pages on which patients answer: one module a page or a way through several."""
