"""The schema of the configuration: every key with its type, default and description.

Begin with `config.schema.yaml`; `validator` reads it.
"""
