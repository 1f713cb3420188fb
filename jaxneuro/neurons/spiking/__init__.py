"""Integrate-and-fire neurons."""
