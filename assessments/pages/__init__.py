"""The pages on which patients answer: the intake, the hip screen, the identity check."""
