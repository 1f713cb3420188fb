"""Rows of the laws for neurons with several thresholds and units with an inner nonlinearity."""

from tests.laws.row import Row

MULTI_THRESHOLD: tuple[Row, ...] = ()
