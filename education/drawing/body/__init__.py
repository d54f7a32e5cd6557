"""The body: proportions, people, skeleton, surface, and the solver that puts a pose into the world."""
