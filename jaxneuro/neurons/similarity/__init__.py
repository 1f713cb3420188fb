"""Similarity neurons: units that compare their input with a weight vector."""
