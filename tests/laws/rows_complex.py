"""Rows of the laws for neurons with complex states."""

from tests.laws.row import Row

COMPLEX: tuple[Row, ...] = ()
