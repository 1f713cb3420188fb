"""Neurons that are linear in their own state: run one step after the other, or all of time by a parallel scan."""
