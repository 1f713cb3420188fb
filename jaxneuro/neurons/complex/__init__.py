"""Neurons with complex states and unitary recurrence."""
