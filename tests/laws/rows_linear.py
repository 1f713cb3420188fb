"""Rows of the laws for neurons that are linear in their state."""

from tests.laws.row import Row

LINEAR: tuple[Row, ...] = ()
