"""Rows of the laws for neurons that send each other code."""

from tests.laws.row import Row

CONVERSATIONAL: tuple[Row, ...] = ()
