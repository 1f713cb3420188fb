"""One neuron, one file, one paper; in wings by family."""
