"""Training: gradients, optimisers, learning rules."""
