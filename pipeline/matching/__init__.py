"""Induction matching: matches of TRs, from similarities to the features that copy what followed.

It uses `pipeline.core` and `pipeline.dataset`. Begin with `matches`, which says what may be
matched.
"""
