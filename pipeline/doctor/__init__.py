"""What a bug report should say of a machine: `python -m pipeline.doctor`.

It uses `gim` and the standard library; no data is read and no server asked. Begin with `command`,
which prints the page; `installation`, `machine` and `found` fill it.
"""
