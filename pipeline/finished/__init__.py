"""Finished runs: their scores, weights and maps, and predictions for stories that they never had.

It uses what is below it in `pipeline`, and writes nothing into a run. Begin with `run` (`Run`).
"""
