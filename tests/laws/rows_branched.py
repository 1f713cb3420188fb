"""Rows of the laws for neurons with memory in their branches, and tree networks."""

from tests.laws.row import Row

BRANCHED: tuple[Row, ...] = ()
