"""Is a prediction better than chance? Permutation tests within stories."""
