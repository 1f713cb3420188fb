import functools
import gc
import itertools
import os
import shutil
from pathlib import Path

import jax
import jaxtyping._decorator
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
    "neurons/conversational": ("instructions",),
    "neurons/dendritic": ("dh_lif", "elm", "multi_threshold"),
    "neurons/htm": ("fan_out", "k_winners", "sdr", "segment_growth"),
    "neurons/spiking": ("adex", "izhikevich", "leaky_readout", "lif", "patterns", "precise_lif"),
    "synapses": ("conv", "dense", "event", "exponential", "pair_stdp"),
    "networks": ("network", "recurrent", "siegert"),
    "conversion": ("simulate", "spiking_relu"),
    "tasks": ("adding", "copying", "data", "text", "modular"),
    "interop": ("equinox",),
    "learning": ("eprop", "train"),
    "measure": ("cost", "interval", "ledger", "spike_statistics"),
    "faults": ("corruption", "two_writers"),
    "search": ("cell", "cost", "folding", "genome", "lineage", "pareto", "text"),
}
# One process has the tests of this file for a platform, whatever their parameters, since only one may hold the TPU's
# compiler; and these compilers get the user's options.
AHEAD = "test_ahead"
# Files that take minutes begin first, so that none of them is alone at the end.
LONG = (AHEAD, "test_kill_search", "test_kill", "test_disk")


def remembered(function):
    """The same function, which does not do again what it has done for equal arguments."""
    known = functools.cache(function)

    @functools.wraps(function)
    def call(*arguments, **words):
        try:
            hash((arguments, *words.items()))
        except TypeError:
            return function(*arguments, **words)
        return known(*arguments, **words)

    return call


# Each call of a function makes the functions inside it anew, and jaxtyping writes and compiles their checks anew, which
# takes longer than most of these functions do. Equal signatures have equal checks.
for name in {"_make_fn_with_signature", "_apply_typechecker"} & vars(jaxtyping._decorator).keys():
    setattr(jaxtyping._decorator, name, remembered(getattr(jaxtyping._decorator, name)))

# A test that saves waits for the disk most of the time, so that what tests write is kept in memory where there is room.
MEMORY = Path("/dev/shm")
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 8 * 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# XLA's newer way to emit what it fuses, which JAX 0.12 knows no other than, and parts for more threads than there are
# compile three times as long. Read when JAX first compiles, here and in processes that tests start; processes that test
# side by side are such too, and get what the user set.
USERS_FLAGS = os.environ.setdefault("JAXNEURO_USERS_XLA_FLAGS", os.environ.get("XLA_FLAGS", ""))
OLDER_EMITTER = "--xla_cpu_use_fusion_emitters=false " * (jax.__version_info__ < (0, 12))
QUICK_FLAGS = f"{USERS_FLAGS} {OLDER_EMITTER}--xla_cpu_parallel_codegen_split_count=1".strip()
OPTIMISED = "JAXNEURO_OPTIMISED" in os.environ
os.environ["XLA_FLAGS"] = USERS_FLAGS if OPTIMISED else QUICK_FLAGS

jax.config.update("jax_compilation_cache_dir", os.path.abspath(CACHE))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """What compiles the same programs stays in one process: the laws of a machine, the tests of a file."""
    config.addinivalue_line("markers", "computing: computes longer than it compiles; its programs are optimised")
    config.addinivalue_line("markers", "xdist_group: known without pytest-xdist too")
    if getattr(config.option, "numprocesses", None) and config.option.dist in ("no", "load"):
        config.option.dist, config.option.loadscopereorder = "loadgroup", False


def pytest_configure(config):
    """Processes that test side by side read the command line for themselves, and are told here what was made of it."""
    if hasattr(config, "workerinput"):
        config.option.loadgroup = True


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """Of tests of one nature, and of those that take long, the quick pass has a few; long files come first."""
    items.sort(key=lambda item: item.path.stem not in LONG)
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        row = item.path.stem != AHEAD and parameters.get("row")
        own = parameters.get("platform", "tpu" if "tpu" in item.fixturenames else "") if item.path.stem == AHEAD else ""
        place = item.path.relative_to(TESTS_FOLDER).with_suffix("").as_posix()
        item.add_marker(pytest.mark.xdist_group(row.name if hasattr(row, "name") else f"{place}{own}"))
        folder, file = item.path.parent.relative_to(TESTS_FOLDER).as_posix(), item.path.stem.removeprefix("test_")
        if folder in QUICK and file not in QUICK[folder]:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Leaves LLVM's optimisations out where they are not worth their time, in processes that a test starts too.

    They are half of the time of tests that compute little. Tests marked `computing` have them. Programs are in all ways
    as users have them if JAXNEURO_OPTIMISED says so, as in .ci/run. Before the fixtures, which compile too.
    """
    ahead = item.path.stem == AHEAD
    little = not OPTIMISED and not ahead and item.get_closest_marker("computing") is None
    jax.config.update("jax_disable_most_optimizations", little)
    os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = str(int(little))
    os.environ["XLA_FLAGS"] = USERS_FLAGS if OPTIMISED or ahead else QUICK_FLAGS


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
