"""Benchmarks: ``python -m benchmarks.NAME`` prints and writes JSON under ``benchmarks/results``."""
