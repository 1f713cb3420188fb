import gc
import itertools
import os
from pathlib import Path

import jax
import pytest

# Compiled programs are kept between runs of the suite; a new parameter value or a new process then does not compile.
# Processes that test side by side have a place each: JAX writes a program in place, and another may read half of it.
CACHE = os.path.join(os.path.dirname(__file__), "..", ".cache", "xla", os.environ.get("PYTEST_XDIST_WORKER", ""))
TESTS = itertools.count()
TESTS_FOLDER = Path(__file__).parent
QUICK = {
    "neurons/gated": ("lstm", "gru", "nested_lstm", "zoo"),
    "neurons/complex": ("activations", "complex_rnn", "complex_dense"),
    "neurons/linear": ("lru",),
    "neurons/spiking": ("adex", "izhikevich", "leaky_readout", "lif", "patterns", "precise_lif"),
    "synapses": ("conv", "dense", "event", "exponential", "pair_stdp"),
    "networks": ("network", "recurrent", "siegert"),
    "conversion": ("simulate", "spiking_relu"),
    "tasks": ("adding", "copying", "data", "text", "modular"),
    "interop": ("equinox",),
    "learning": ("eprop", "train"),
    "measure": ("cost", "interval", "ledger", "spike_statistics"),
    "faults": ("corruption", "two_writers"),
    "search": ("cell", "cost", "folding", "genome", "lineage", "named", "pareto", "text"),
}
# LLVM's optimisations are half of the time of tests that compute little. Elsewhere programs are as users have them,
# and everywhere if JAXNEURO_OPTIMISED says so, as in .ci/run.
COMPUTING = ("experiments", "faults", "learning", "networks", "search")
jax.config.update("jax_compilation_cache_dir", os.path.abspath(CACHE))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


def pytest_collection_modifyitems(items):
    """Of tests of one nature, and of those that take long, the quick pass has a few."""
    for item in items:
        folder, file = item.path.parent.relative_to(TESTS_FOLDER).as_posix(), item.path.stem.removeprefix("test_")
        if folder in QUICK and file not in QUICK[folder]:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def compiled_quickly(request):
    """Leaves LLVM's optimisations out where they are not worth their time."""
    folder = request.path.relative_to(TESTS_FOLDER).parts[0]
    little = folder not in COMPUTING and "JAXNEURO_OPTIMISED" not in os.environ
    jax.config.update("jax_disable_most_optimizations", little)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(autouse=True)
def compiled_programs_do_not_pile_up():
    """Forgets them from time to time: a process may have only so many pieces of memory, and crashes at the next."""
    yield
    if next(TESTS) % 300 == 299:
        jax.clear_caches()
        gc.collect()


@pytest.fixture
def key():
    return jax.random.key(0)


@pytest.fixture
def float64():
    """Double precision for one test."""
    with jax.enable_x64(True):
        yield
