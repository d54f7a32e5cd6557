"""Benchmarks. `make bench` prints their results as tables."""
