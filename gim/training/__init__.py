"""Training: a causal language model of one's own, and an encoder distilled from a teacher."""
