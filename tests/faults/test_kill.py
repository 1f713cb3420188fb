"""kill -9, at any moment: the same command run again ends with the same bits as a run that nothing disturbed."""

import functools
import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from jaxneuro.launch import checkpoint
from jaxneuro.launch.directory import Run

STEPS, CHUNK, LANES = 1500, 50, 3

TRAINING = f"""
import functools, sys
from pathlib import Path
import jax, jax.numpy as jnp, numpy as np, optax
from jaxneuro.launch.directory import Run
from jaxneuro.launch.loop import train_in_chunks

optimizer = optax.adamw(3e-3)

def start(key):
    weights, key = jax.random.normal(key, (8, 8)) * 0.3, jax.random.fold_in(key, 1)
    return {{"weights": weights, "optimizer": optimizer.init(weights), "key": key, "step": jnp.asarray(0, jnp.int32)}}

def loss(weights, key):
    inputs = jax.random.normal(key, (16, 8))
    return jnp.mean((jnp.tanh(inputs @ weights) - jnp.flip(inputs, 1) / 2) ** 2)

def one_step(state, _):
    value, slope = jax.value_and_grad(loss)(state["weights"], jax.random.fold_in(state["key"], state["step"]))
    change, memory = optimizer.update(slope, state["optimizer"], state["weights"])
    weights = optax.apply_updates(state["weights"], change)
    state = {{"weights": weights, "optimizer": memory, "key": state["key"], "step": state["step"] + 1}}
    return state, {{"loss": value}}

@functools.partial(jax.jit, static_argnums=1)
def advance(state, steps):
    return jax.lax.scan(lambda state, _: jax.vmap(one_step, in_axes=(0, None))(state, None), state, None, length=steps)

def told(state, steps):
    print("chunk", flush=True)
    return advance(state, steps)

with Run(Path(sys.argv[1]), {{"seed": 0}}) as run:
    run.log(0, {{"lanes": {LANES}}})
    state = jax.vmap(start)(jax.random.split(jax.random.key(0), {LANES}))
    print("open", flush=True)
    state, history = train_in_chunks(run, "net", told, state, steps={STEPS}, chunk={CHUNK})
    run.log(1, {{"last": history["loss"][-1]}})
    run.save_arrays({{"loss": history["loss"]}})
    run.finish({{"loss": history["loss"][-1]}})
    print("end", flush=True)
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    file = tmp_path_factory.mktemp("script") / "training.py"
    file.write_text(TRAINING)
    return file


@pytest.fixture(scope="module")
def training(script):
    """Starts the training in a directory; compiled programs are shared, so that a start takes two seconds."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(checkpoint.__file__).parents[2]),
        "JAX_COMPILATION_CACHE_DIR": str(script.parent / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    return functools.partial(subprocess.Popen, stdout=subprocess.PIPE, text=True, env=environment)


def start(training, script, path):
    return training([sys.executable, str(script), str(path)])


def contents(path):
    """What must be the same, bit by bit: the leaves of the last state, the metrics, the results and the arrays."""
    folder = path / "checkpoints" / "net"
    (last,) = checkpoint.steps(folder)[-1:]
    run = Run(path, {"seed": 0}, console=Console(file=io.StringIO()))
    results = run.results()
    run.close()
    return (
        last,
        leaves(folder / f"step-{last:08d}"),
        (path / "metrics.jsonl").read_bytes(),
        results,
        (path / "arrays.npz").read_bytes(),
    )


def leaves(place):
    """SHA-256 of every array of a checkpoint, read by Orbax alone."""
    import orbax.checkpoint as ocp

    with ocp.Checkpointer(ocp.StandardCheckpointHandler()) as checkpointer:
        arrays = checkpointer.restore(place.absolute() / "arrays", args=ocp.args.StandardRestore())
    return {name: hashlib.sha256(np.asarray(array).tobytes()).hexdigest() for name, array in arrays.items()}


@pytest.fixture(scope="module")
def undisturbed(training, script, tmp_path_factory):
    """The contents of a run that nothing disturbed, and the seconds from one chunk to the next."""
    path = tmp_path_factory.mktemp("undisturbed") / "run"
    with start(training, script, path) as process:
        times = [time.monotonic() for line in process.stdout if line == "chunk\n"]
    assert process.returncode == 0
    assert len(times) == STEPS // CHUNK
    return contents(path), float(np.median(np.diff(times)))


def stop(process, number, line, delay):
    """Send a signal `delay` seconds after the n-th line of output; the exit status."""
    for _ in range(line):
        process.stdout.readline()
    time.sleep(delay)
    process.send_signal(number)
    process.communicate(timeout=30)
    return process.returncode


def survive(training, script, undisturbed, folder, number, stops, seed):
    """Stop runs at moments spread over all of their life until `stops` stops have landed; each must end undisturbed."""
    whole, pause = undisturbed
    random, landed, statuses = np.random.default_rng(seed), 0, []
    while landed < stops:
        path, done = folder / str(len(statuses)), False
        while landed < stops and not done:
            # In lines of output and in chunk lengths, not in seconds: the moments are as random on a busy machine. Line
            # 0 is the start of the process; a process lives for a tenth of a run on average.
            line = int(random.integers(0, STEPS // CHUNK // 5))
            delay = random.uniform(0.0, 2.0 if line == 0 else 1.5 * pause)
            statuses.append(stop(start(training, script, path), number, line, delay))
            done = statuses[-1] == 0
            landed += not done
            if (path / "metrics.jsonl").exists():
                assert whole[2].startswith((path / "metrics.jsonl").read_bytes().rpartition(b"\n")[0])
        if not done:
            process = start(training, script, path)
            assert process.communicate()[0].endswith("end\n")
            assert process.returncode == 0
        assert contents(path) == whole
    return set(statuses)


def test_runs_killed_at_random_moments_end_with_the_same_bits(training, script, undisturbed, tmp_path):
    assert survive(training, script, undisturbed, tmp_path, signal.SIGKILL, 3, seed=0) <= {-signal.SIGKILL, 0}


@pytest.mark.slow
def test_more_kills_end_with_the_same_bits(training, script, undisturbed, tmp_path):
    assert survive(training, script, undisturbed, tmp_path, signal.SIGKILL, 6, seed=1) <= {-signal.SIGKILL, 0}


@pytest.mark.slow
def test_runs_terminated_at_random_moments_save_say_so_and_end_with_the_same_bits(
    training, script, undisturbed, tmp_path
):
    # Outside of the training nothing needs saving, and SIGTERM ends the process as it does any other.
    assert survive(training, script, undisturbed, tmp_path, signal.SIGTERM, 6, seed=2) <= {143, -signal.SIGTERM, 0}


CHANGING = ("open", "write", "fsync", "rename", "replace", "mkdir", "unlink", "rmdir")

# A process that has started neither threads nor devices may fork: each death is then a real one, without a start.
DEATHS = f"""
import functools, os, shutil, sys
from pathlib import Path
import numpy as np
import orbax.checkpoint
from jaxneuro.launch import checkpoint

def state(step):
    return {{"w": np.full(5, step, np.float32), "n": np.asarray(step)}}

def call(real, counter, first, *args, **kwargs):
    counter.append(real)
    if len(counter) == first:
        os._exit(9)
    return real(*args, **kwargs)

def forked(action):
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def save(folder, first):
    counter = []
    for name in {CHANGING}:
        setattr(os, name, functools.partial(call, getattr(os, name), counter, first))
    checkpoint.save(folder, 30, state(30))

def check(folder):
    checkpoint.remove_leftovers(folder)
    step, tree = checkpoint.restore(folder, state(0), warn=sys.exit)
    assert step in (20, 30) and all((tree[name] == state(step)[name]).all() for name in tree)
    if step == 20:
        checkpoint.save(folder, 30, state(30))

def prepare(folder):
    for step in (10, 20):
        checkpoint.save(folder, step, state(step))

first, status, old = 1, 9, Path(sys.argv[1]) / "old"
assert forked(functools.partial(prepare, old)) == 0
while status == 9:
    folder = Path(sys.argv[1]) / str(first)
    shutil.copytree(old, folder)
    status = forked(functools.partial(save, folder, first))
    assert status in (0, 9), status
    assert forked(functools.partial(check, folder)) == 0
    first += 1
print(first - 2)
"""


@pytest.mark.slow
def test_a_process_that_ends_at_any_call_of_a_save_leaves_a_good_checkpoint(training, tmp_path):
    process = training([sys.executable, "-W", "ignore", "-c", DEATHS, str(tmp_path)])
    deaths, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    assert int(deaths) > 20
