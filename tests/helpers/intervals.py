"""What is said of a mean over training stories, from SciPy's test of independent ones."""

import numpy as np
from scipy import stats


def over_stories(by_story):
    """Ends of the 95 % interval of out-of-fold values, and p that their mean is above 0."""
    n, independent = len(by_story), stats.ttest_1samp(by_story, 0)
    wider, mean = np.sqrt(2 * (n - 1) / (n - 2)), np.mean(by_story)
    ends = np.array(independent.confidence_interval(0.95))
    low, high = mean + wider * (ends - mean)
    return low, high, stats.t.sf(independent.statistic / wider, n - 1)
