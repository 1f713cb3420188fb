"""Other libraries: our machines as their cells, and their cells as machines."""
