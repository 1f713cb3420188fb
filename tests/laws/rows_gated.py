"""Rows of the laws for gated and nested neurons."""

from tests.laws.row import Row

GATED: tuple[Row, ...] = ()
