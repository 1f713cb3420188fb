import functools
import io

import jax
import numpy as np
import pytest
from rich.console import Console

import jaxneuro as jn
from jaxneuro.launch import comparison, comparison_page
from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.comparison import Budget, Trial
from jaxneuro.launch.directory import Run
from jaxneuro.networks.recurrent import recurrent_network
from jaxneuro.tasks import Adding, Modular

TRAINED = ("weights", "bias", "input_weights", "recurrent_weights")


def budget(**changes):
    plain = {"parameters": 900, "learning_rates": (1e-3, 1e-2), "seeds": 2, "steps": 6, "chunk": 3, "batch": 4}
    return Budget(**(plain | changes))


def builder(kind, layers, task, units):
    return lambda key: recurrent_network(kind, True, task.inputs, units, task.outputs, layers=layers, key=key)


def contenders(task):
    made = {"gru": (jn.gated.GRU, 1), "lstm": (jn.LSTM, 1), "stacked": (jn.LSTM, 2)}
    return {name: functools.partial(builder, *kind, task) for name, kind in made.items()}


def trial(task, measured="loss"):
    held_out = [task.batch(jax.random.key(seed), 8) for seed in (1, 2)]
    return Trial("trial", task, *held_out, measured, "nats", baseline=1.0)


def compete(path, task, measured="loss", **changes):
    with Run(path, {}, console=Console(file=io.StringIO())) as run:
        return comparison.compete(
            run,
            contenders(task),
            trial(task, measured),
            budget(parameter_tolerance=0.1, **changes),
            seed=0,
            devices=1,
            trained=TRAINED,
        )


@pytest.mark.parametrize(("parameters", "tolerance"), [(3000, 0.05), (20_000, 0.01)])
def test_sizes_are_solved_for_so_that_all_have_as_many_parameters(parameters, tolerance):
    task = Adding(steps=5)
    sizes = comparison.equal_sizes(
        contenders(task), budget(parameters=parameters, parameter_tolerance=tolerance), TRAINED
    )
    counts = [count for _, count in sizes.values()]
    assert max(counts) <= min(counts) * (1 + tolerance)
    assert all(abs(count / parameters - 1) <= 0.25 for count in counts)
    for name, (units, count) in sizes.items():
        layers = 2 if name == "stacked" else 1
        by_hand = {"gru": 3, "lstm": 4, "stacked": 4}[name] * units * (2 + units + 1) + units + 1
        assert count == by_hand + (4 * units * (2 * units + 1) if layers == 2 else 0)


def test_sizes_that_cannot_be_equal_are_refused_with_the_closest_ones():
    with pytest.raises(ConfigError, match=r"parameter_tolerance is 1e-06.* gru \d+ \(\d+ neurons\)"):
        comparison.equal_sizes(contenders(Adding(steps=5)), budget(parameter_tolerance=1e-6), TRAINED)
    with pytest.raises(ConfigError, match=r"budget.parameters is 3; gru has \d+ with 1 neuron"):
        comparison.equal_sizes(contenders(Adding(steps=5)), budget(parameters=3), TRAINED)


@pytest.mark.slow
def test_a_row_for_each_contender_says_what_it_reached_at_what_cost(tmp_path):
    rows, arrays, _ = compete(tmp_path / "run", Adding(steps=5))
    assert [row["network"] for row in rows] == ["gru", "lstm", "stacked"]
    for row in rows:
        assert row["low"] < row["mean"] < row["high"]
        assert row["mean"] == pytest.approx(np.mean(row["score"]))
        curves = arrays[f"trial/{row['network']}/validation"]
        assert curves.shape == (2, 2, 2)  # points, rates, seeds
        np.testing.assert_allclose(row["validation"], curves[-1])
        # The rate is the one whose mean validation loss is lowest.
        assert row["rate_index"] == np.mean(row["validation"], axis=1).argmin()
        assert row["learning_rate"] == (1e-3, 1e-2)[row["rate_index"]]
        assert row["diverged"] == 0
        assert row["operations_per_step"] > 2 * row["parameters"] - 200


@pytest.mark.slow
def test_seeds_have_the_same_batches_in_every_contender_and_a_rate_of_zero_keeps_the_start(tmp_path):
    rows, *_ = compete(tmp_path / "run", Modular(modulus=3, steps=5), "accuracy")
    again, *_ = compete(tmp_path / "again", Modular(modulus=3, steps=5), "accuracy")
    assert [row["score"] for row in rows] == [row["score"] for row in again]
    assert all(0 <= score <= 100 for row in rows for score in row["score"])


@pytest.mark.slow
def test_a_lane_that_diverges_is_counted_and_never_chosen(tmp_path):
    rows, *_ = compete(tmp_path / "run", Adding(steps=5), learning_rates=(1e-3, 100.0))
    assert all(row["learning_rate"] == 1e-3 for row in rows)
    assert all(np.isfinite(row["score"]).all() for row in rows)


def score_row(network, score, higher=False):
    return {"trial": "t", "network": network, "score": score, "unit": "nats", "higher_is_better": higher}


def test_differences_are_taken_seed_by_seed():
    # The seeds differ much, the contenders little: only the paired difference shows it.
    rows = [score_row("a", [1.0, 5.0, 9.0]), score_row("b", [1.2, 5.21, 9.19])]
    (found,) = comparison.differences(rows, [("a", "b"), ("a", "missing")])
    assert found["mean"] == pytest.approx(-0.2)
    assert found["differs"]
    assert comparison_page.is_better(found)
    assert comparison_page.sentence(found).startswith("t: a is better than b by 0.2 nats (-0.2")
    (same,) = comparison.differences([score_row("a", [1.0, 2.0, 3.0]), score_row("b", [1.5, 1.5, 3.0])], [("a", "b")])
    assert not same["differs"]
    assert "cannot be told apart" in comparison_page.sentence(same)


def test_of_accuracies_the_higher_is_better():
    rows = [score_row("a", [90.0, 91.0, 92.0], True), score_row("b", [80.0, 81.1, 82.0], True)]
    (found,) = comparison.differences(rows, [("a", "b")])
    assert comparison_page.is_better(found)
    (lost,) = comparison.differences(rows, [("b", "a")])
    assert not comparison_page.is_better(lost)
    assert "b is worse than a" in comparison_page.sentence(lost)
