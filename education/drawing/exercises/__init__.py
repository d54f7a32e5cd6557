"""What the figure shows: exercises, stretches, running and everyday poses, as data."""
