"""What every stage uses: errors, whole files, seeds, series, correlations, intervals, provenance.

It uses nothing of the pipeline. Begin with `errors`: how the user is told what is wrong.
"""
