"""The command that predicts the responses to a new story: python -m pipeline.predict RUN ...

It uses `pipeline.finished`. Begin with `command`.
"""
