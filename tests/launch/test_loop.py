import functools
import io
import os
import signal
import threading

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console

from jaxneuro.launch import checkpoint
from jaxneuro.launch.directory import Run, read_metrics
from jaxneuro.launch.lock import RunError
from jaxneuro.launch.loop import Interrupted, NonFiniteError, train_in_chunks
from jaxneuro.launch.progress import Progress


class Descent(eqx.Module):
    place: jax.Array
    count: jax.Array
    key: jax.Array


class Measured(eqx.Module):
    loss: jax.Array
    count: jax.Array
    noise: dict[str, jax.Array]


def start(lanes=3):
    return jax.vmap(lambda key: Descent(jnp.full(2, 4.0), jnp.asarray(0, jnp.int32), key))(
        jax.random.split(jax.random.key(0), lanes)
    )


def one_step(state, _):
    noise = jax.random.normal(jax.random.fold_in(state.key, state.count))
    loss = jnp.sum(state.place**2)
    count = state.count + jnp.asarray(1, jnp.int32)
    return Descent(state.place * 0.9 + 0.01 * noise, count, state.key), Measured(loss, count, {"draw": noise})


@functools.partial(jax.jit, static_argnames="steps")
def advance(state, steps):
    return jax.lax.scan(jax.vmap(one_step, in_axes=(0, None)), state, None, length=steps)


@pytest.fixture
def run(tmp_path):
    console = Console(file=io.StringIO(), width=30)
    with Run(tmp_path / "run", {"seed": 0}, console=console) as run:
        yield run


def said(run):
    return run.console.file.getvalue()


def test_the_state_and_the_metrics_are_those_of_one_long_scan(run):
    state, history = train_in_chunks(run, "net", advance, start(), steps=23, chunk=5)
    whole, metrics = advance(start(), 23)
    assert eqx.tree_equal(state.place, whole.place)
    assert history["step"].tolist() == [5, 10, 15, 20, 23]
    chunks = np.split(np.asarray(metrics.loss, np.float64), [5, 10, 15, 20])
    np.testing.assert_array_equal(history["loss"], [chunk.mean(axis=0) for chunk in chunks])
    np.testing.assert_array_equal(history["count"], np.repeat(history["step"], 3).reshape(5, 3))
    assert history["noise/draw"].shape == (5, 3)


def test_advance_is_called_with_two_lengths_at_most(run):
    lengths = []

    def spied(state, steps):
        lengths.append(steps)
        return advance(state, steps)

    train_in_chunks(run, "net", spied, start(), steps=23, chunk=5)
    assert lengths == [5, 5, 5, 5, 3]


def test_a_finished_training_returns_at_once_with_its_whole_history(run):
    state, history = train_in_chunks(run, "net", advance, start(), steps=20, chunk=5)

    def never(state, steps):
        raise AssertionError

    again, same = train_in_chunks(run, "net", never, start(), steps=20, chunk=5)
    assert eqx.tree_equal(again.place, state.place)
    assert {name: column.tolist() for name, column in same.items()} == {n: c.tolist() for n, c in history.items()}
    assert f"net: done already: {run.path / 'checkpoints' / 'net' / 'step-00000020'}" in said(run)


@pytest.mark.parametrize("every", [1, 2, 3])
def test_a_training_cut_anywhere_ends_like_one_that_was_not(tmp_path, every):
    def train(path, cuts):
        calls = 0

        def cut(state, steps):
            nonlocal calls
            calls += 1
            if calls in cuts:
                raise ZeroDivisionError
            return advance(state, steps)

        for _ in range(len(cuts) + 1):
            with Run(path, {"seed": 0}, console=Console(file=io.StringIO())) as run:
                run.log(0, {"size": 3})
                try:
                    state, _ = train_in_chunks(run, "net", cut, start(), steps=40, chunk=5, every=every)
                except ZeroDivisionError:
                    continue
                run.log(1, {"size": 4})
                return state, (path / "metrics.jsonl").read_bytes()
        raise AssertionError

    whole, metrics = train(tmp_path / "whole", set())
    state, journal = train(tmp_path / "cut", {3, 6, 10, 11})
    assert eqx.tree_equal((state.place, state.count), (whole.place, whole.count))
    assert journal == metrics


def test_metrics_beyond_the_restored_checkpoint_are_taken_back(run):
    train_in_chunks(run, "net", advance, start(), steps=20, chunk=5)
    whole = (run.path / "metrics.jsonl").read_bytes()
    (run.path / "checkpoints" / "net" / "step-00000020" / "manifest").write_bytes(b"")
    train_in_chunks(run, "net", advance, start(), steps=20, chunk=5)
    assert (run.path / "metrics.jsonl").read_bytes() == whole
    assert "step-00000020/manifest is damaged; going back to step-00000015" in said(run)


def test_litter_of_a_killed_process_is_removed_at_the_next_start(run):
    litter = run.path / "checkpoints" / "net" / ".step-00000099.tmp"
    litter.mkdir(parents=True)
    train_in_chunks(run, "net", advance, start(), steps=5, chunk=5)
    assert not litter.exists()


def test_two_trainings_of_one_run_do_not_mix(run):
    _, first = train_in_chunks(run, "first", advance, start(1), steps=10, chunk=5)
    _, second = train_in_chunks(run, "second", advance, start(2), steps=15, chunk=5)
    assert first["loss"].shape == (2, 1)
    assert second["loss"].shape == (3, 2)
    assert [line["name"] for line in read_metrics(run.path)] == ["first"] * 2 + ["second"] * 3


def test_checkpoints_without_their_metrics_are_refused(tmp_path):
    console = Console(file=io.StringIO())
    with Run(tmp_path, {}, console=console) as run:
        train_in_chunks(run, "net", advance, start(), steps=10, chunk=5)
    (tmp_path / "metrics.jsonl").unlink()
    with (
        Run(tmp_path, {}, console=console) as run,
        pytest.raises(RunError, match=r"metrics\.jsonl lacks .* at step 10"),
    ):
        train_in_chunks(run, "net", advance, start(), steps=20, chunk=5)


def test_a_checkpoint_beyond_the_last_step_is_refused(run):
    train_in_chunks(run, "net", advance, start(), steps=10, chunk=5)
    with pytest.raises(RunError, match="step 10, beyond steps = 5"):
        train_in_chunks(run, "net", advance, start(), steps=5, chunk=5)


@pytest.mark.parametrize(("poison", "word"), [(jnp.nan, "NaN"), (jnp.inf, "infinite")])
def test_a_non_finite_loss_stops_the_run_and_is_not_saved(run, poison, word):
    @functools.partial(jax.jit, static_argnames="steps")
    def diverging(state, steps):
        state, measured = advance(state, steps)
        lost = (measured.count == 13) & (jnp.arange(3) == 2)[None]
        return state, Measured(jnp.where(lost, poison, measured.loss), measured.count, measured.noise)

    with pytest.raises(NonFiniteError) as error:
        train_in_chunks(run, "net", diverging, start(), steps=20, chunk=5)
    last = run.path / "checkpoints" / "net" / "step-00000010"
    assert str(error.value) == f"loss became {word} at step 13 (lane 2); last good checkpoint: {last}"
    assert checkpoint.steps(last.parent) == [5, 10]
    assert run.history("net")["step"].tolist() == [5, 10]


def test_a_metric_may_have_one_value_for_the_chunk(run):
    def once(state, steps):
        state, measured = advance(state, steps)
        loss = jnp.where(state.count[:1] > 13, jnp.nan, measured.loss.mean(axis=0)[:1])
        return state, {"loss": loss[None]}

    with pytest.raises(NonFiniteError, match=r"loss became NaN at step 15 \(lane 0\)"):
        train_in_chunks(run, "net", once, start(), steps=20, chunk=5)
    assert run.history("net")["loss"].shape == (2, 1)


def test_a_state_that_is_lost_behind_finite_losses_is_not_saved(run):
    def poisoned(state, steps):
        state, measured = advance(state, steps)
        return eqx.tree_at(lambda state: state.place, state, state.place.at[1, 0].set(jnp.nan)), measured

    with pytest.raises(NonFiniteError, match=r"\.place of the state .* by step 5; there is no checkpoint yet"):
        train_in_chunks(run, "net", poisoned, start(), steps=20, chunk=5)


def test_an_infinity_that_a_state_begins_with_is_allowed(run):
    def advance_dict(state, steps):
        inner, measured = advance(state["inner"], steps)
        return {"inner": inner, "best": state["best"]}, measured

    state = {"inner": start(), "best": jnp.asarray(jnp.inf, jnp.float32)}
    state, _ = train_in_chunks(run, "net", advance_dict, state, steps=10, chunk=5)
    assert jnp.isinf(state["best"])


def test_weak_types_do_not_reach_the_checkpoint(run):
    weak = []

    def remember(state, steps):
        weak.append(state["w"].weak_type)
        return {"w": state["w"] * 0.5}, {"loss": jnp.zeros(steps)}

    train_in_chunks(run, "net", remember, {"w": jnp.asarray(1.0)}, steps=10, chunk=5)
    train_in_chunks(run, "net", remember, {"w": jnp.asarray(1.0)}, steps=20, chunk=5)
    assert weak == [False] * 4


def test_a_state_of_another_kind_is_refused_at_the_first_border(run):
    def changing(state, steps):
        return {"count": jnp.asarray(3, jnp.int32)}, {"loss": jnp.zeros(steps)}

    with pytest.raises(TypeError, match=r"leaf \['count'\] is int\(\) in it and int32\(\)"):
        train_in_chunks(run, "net", changing, {"count": 0}, steps=10, chunk=5)


def test_metrics_without_a_time_axis_are_refused(run):
    with pytest.raises(ValueError, match=r"metric loss has shape \(\); its leading axis must be 5 steps, or 1"):
        train_in_chunks(run, "net", lambda state, steps: (state, {"loss": jnp.zeros(())}), start(), steps=10, chunk=5)


@pytest.mark.parametrize(("name", "chunk", "every"), [("../net", 5, 1), ("", 5, 1), ("net", 0, 1), ("net", 5, 0)])
def test_bad_arguments_are_named(run, name, chunk, every):
    with pytest.raises(ValueError, match=r"(name|chunk|every) is"):
        train_in_chunks(run, name, advance, start(), steps=10, chunk=chunk, every=every)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_finishes_the_chunk_saves_and_exits(run, number, code):
    def signalled(state, steps):
        os.kill(os.getpid(), number)
        return advance(state, steps)

    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as stop:
        train_in_chunks(run, "net", signalled, start(), steps=20, chunk=5, every=3)
    assert stop.value.code == code
    assert isinstance(stop.value, SystemExit)
    assert signal.getsignal(number) is before
    assert checkpoint.steps(run.path / "checkpoints" / "net") == [5]
    assert "net: stopped at step 5" in said(run)
    state, _ = train_in_chunks(run, "net", advance, start(), steps=20, chunk=5, every=3)
    assert eqx.tree_equal(state.place, advance(start(), 20)[0].place)


def test_a_signal_after_the_last_step_is_not_lost(run, monkeypatch):
    monkeypatch.setattr(Progress, "__exit__", lambda *exception: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        train_in_chunks(run, "net", advance, start(), steps=5, chunk=5)


def test_a_second_ctrl_c_does_not_wait(run):
    def signalled(state, steps):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError

    with pytest.raises(KeyboardInterrupt):
        train_in_chunks(run, "net", signalled, start(), steps=20, chunk=5)


def test_training_runs_outside_the_main_thread_too(run):
    found = []
    thread = threading.Thread(
        target=lambda: found.append(train_in_chunks(run, "net", advance, start(), steps=5, chunk=5)[1]["step"].tolist())
    )
    thread.start()
    thread.join()
    assert found == [[5]]


def test_progress_off_a_terminal_is_a_line_per_ten_percent():
    console = Console(file=io.StringIO(), width=20)
    with Progress(console, "net", 1000, 200) as progress:
        for step in range(201, 1001):
            progress.update(step, 0.5)
    lines = console.file.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == [f"{n}/1,000" for n in (300, 400, 500, 600, 700, 800, 900)] + [
        "1,000/1,000"
    ]
    assert lines[0].startswith("net  300/1,000  loss 0.5  ")
    assert " steps/s  eta " in lines[0]


def test_progress_on_a_terminal_is_a_bar_with_the_same_words():
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    with Progress(console, "net", 10, 0) as progress:
        progress.update(10, None)
    assert "net" in console.file.getvalue()
    assert "10/10" in console.file.getvalue()
