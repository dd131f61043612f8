"""The simulated subject: stories of our own grammar, and the BOLD that they evoke."""
