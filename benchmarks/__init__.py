"""Benchmarks: python -m benchmarks.NAME prints and writes benchmarks/results/NAME.json."""
