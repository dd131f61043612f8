"""The Generalized Induction Head Model: an interpretable next-token predictor."""
