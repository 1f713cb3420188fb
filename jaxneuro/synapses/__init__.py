"""Connections between neurons."""
