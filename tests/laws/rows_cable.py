"""Rows of the laws for cables of membrane."""

from tests.laws.row import Row

CABLE: tuple[Row, ...] = ()
