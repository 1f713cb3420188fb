"""Neurons that are more than one unit inside: several thresholds, branches that compute, cables of membrane."""
