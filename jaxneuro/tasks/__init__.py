"""Tasks and data: pure functions and readers of real data."""
