"""Populations joined by synapses."""
