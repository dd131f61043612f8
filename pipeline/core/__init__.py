"""What every stage uses: errors, whole files, seeds, time series, correlations, provenance.

It uses nothing of the pipeline. Begin with `errors`: how the user is told what is wrong.
"""
