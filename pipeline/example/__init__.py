"""The worked example of docs/data.md: ``python -m pipeline.example FOLDER``.

It uses `pipeline.simulation`, whose `example` writes the dataset.
"""
