"""Gated recurrent neurons."""
