"""Rows of the laws for weights of higher dimension."""

from tests.laws.row import Row

ALGEBRA: tuple[Row, ...] = ()
