"""Rows of the laws for smaller gated and physical recurrent neurons."""

from tests.laws.row import Row

MINIMAL: tuple[Row, ...] = ()
