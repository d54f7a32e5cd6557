"""What several pages show: contexts, and the steps they share."""
