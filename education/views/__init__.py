"""The pages readers meet."""
