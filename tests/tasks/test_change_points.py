import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.launch.trial import TaskConfig, prepared, tasks
from jaxneuro.tasks import annotated
from jaxneuro.tasks.change_points import ChangePoints, recently_changed, standardised
from tests.tasks.rules import certain, check_mean, draw
from tests.tasks.test_annotated import save, written

RANDOM = np.random.default_rng(5)


def series(name, length, *annotations, dimensions=1):
    values = RANDOM.normal(size=(length, dimensions))
    return annotated.Series(name, values, tuple(np.asarray(marks, int) for marks in annotations))


def corpus(*made):
    return annotated.Corpus(made, max(one.values.shape[1] for one in made), "by hand")


def test_a_change_is_of_interest_for_a_window_of_observations():
    one = series("one", 12, [5])
    assert np.flatnonzero(recently_changed(one, 3)).tolist() == [5, 6, 7]
    assert np.flatnonzero(recently_changed(one, 1)).tolist() == [5]
    assert np.flatnonzero(recently_changed(one, 100)).tolist() == list(range(5, 12))
    # A series begins without a change.
    assert not recently_changed(series("none", 12, [0]), 3).any()


def test_half_of_the_annotators_decide_and_need_not_agree_to_the_observation():
    four = series("four", 20, [5], [6, 12], [], [])
    assert np.flatnonzero(recently_changed(four, 3)).tolist() == [6, 7]
    three = series("three", 20, [5], [6, 12], [])
    assert np.flatnonzero(recently_changed(three, 3)).tolist() == [6, 7]
    # An annotator with two changes in a window has one vote.
    assert not recently_changed(series("twice", 20, [5, 6], [], []), 3).any()


def test_numbers_are_standardised_by_the_past_as_a_loop_does():
    values = np.cumsum(RANDOM.normal(size=(40, 2)), axis=0) * [1e9, 1e-6] + [1e12, 3]
    values[[0, 7, 8], 0] = np.nan
    found = standardised(values)
    for column in range(2):
        for place in range(40):
            past = values[: place + 1, column]
            past = past[np.isfinite(past)]
            expected = 0.0
            if np.isfinite(values[place, column]) and len(past) > 1:
                expected = (values[place, column] - past.mean()) / past.std()
            assert found[place, column] == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_the_future_does_not_show():
    values = RANDOM.normal(size=(30, 1))
    changed = values.copy()
    changed[20:] = 1e6
    np.testing.assert_allclose(standardised(values)[:20], standardised(changed)[:20], rtol=1e-6, atol=1e-6)
    assert abs(standardised(changed)[20, 0]) > 4


def test_a_series_that_stands_still_is_silent_until_it_moves():
    found = standardised(np.array([[0.1], [0.1], [0.1], [0.2], [0.2]]))
    assert found[:3].tolist() == [[0.0], [0.0], [0.0]]
    # One of four is 1, three are 0: (1 - 1/4) / sqrt(3)/4; two of five: (1 - 2/5) / sqrt(6)/5.
    np.testing.assert_allclose(found[3:, 0], [3**0.5, (3 / 2) ** 0.5])


def test_stretches_are_parts_of_series_and_what_cannot_be_known_does_not_count():
    long, short = series("long", 9, [4], [4]), series("short", 4, [2], dimensions=2)
    long.values[6] = np.nan
    task = ChangePoints(corpus(long, short), steps=6, window=2)
    assert (task.inputs, task.outputs) == (3, 2)
    batch = task.take(jnp.array([0, 0, 1]), jnp.array([1, 3, 0]))
    numbers = standardised(long.values)[:, 0]
    for row, start in ((0, 1), (1, 3)):
        np.testing.assert_allclose(batch.inputs[row, :, 0], numbers[start : start + 6], rtol=1e-6)
        assert not np.asarray(batch.inputs[row, :, 1]).any()
    np.testing.assert_array_equal(batch.inputs[0, :, 2], [1, 1, 1, 1, 1, 0])
    np.testing.assert_array_equal(batch.weights[0], [0, 0, 1, 1, 1, 0])
    np.testing.assert_array_equal(batch.targets[0], [0, 0, 0, 1, 1, 0])
    np.testing.assert_array_equal(batch.weights[1], [0, 0, 1, 0, 1, 1])
    np.testing.assert_array_equal(batch.targets[1], [0, 1, 1, 0, 0, 0])
    np.testing.assert_allclose(batch.inputs[2, :4, :2], standardised(short.values), rtol=1e-6)
    np.testing.assert_array_equal(batch.inputs[2, 4:], np.zeros((2, 3)))
    np.testing.assert_array_equal(batch.weights[2], [0, 0, 1, 1, 0, 0])
    np.testing.assert_array_equal(batch.targets[2], [0, 0, 1, 1, 0, 0])


def test_knowing_the_annotations_solves_it():
    task = ChangePoints(annotated.made_up(2, files=8, observations=60), steps=20, window=5)
    batch = draw(task, 40)
    known = {}
    for number, (first, length) in enumerate(zip(task.first.tolist(), task.lengths.tolist(), strict=True)):
        changes = recently_changed(annotated.made_up(2, files=8, observations=60).series[number], 5)
        for start in range(length - 19):
            place = first + start
            known[np.asarray(task.shown[place : place + 20], np.float32).tobytes()] = changes[start : start + 20]
    answers = np.array([known[np.asarray(stretch).tobytes()] for stretch in batch.inputs]).astype(int)
    outputs = certain(answers, 2)
    assert float(task.accuracy(outputs, batch)) == 1
    assert float(task.loss(outputs, batch)) == 0
    assert task.optimum is None


def test_the_share_of_changes_has_the_baseline():
    made = corpus(series("long", 50, [20], [22]), series("short", 8, [3], [4]), series("tiny", 2, []))
    task = ChangePoints(made, steps=12, window=4)
    # Every stretch, each series weighing the same.
    counted, positive = 0.0, 0.0
    for number, length in enumerate((50, 8, 2)):
        starts = jnp.arange(max(length - 11, 1))
        batch = task.take(jnp.full(starts.shape, number), starts)
        counted += float(batch.weights.sum()) / len(starts)
        positive += float((np.asarray(batch.weights) * np.asarray(batch.targets)).sum()) / len(starts)
    share = positive / counted
    assert 0.1 < share < 0.9
    assert task.baseline == pytest.approx(-share * np.log(share) - (1 - share) * np.log(1 - share), rel=1e-6)
    batch = draw(task, 4000)
    outputs = jnp.broadcast_to(jnp.log(jnp.array([1 - share, share])), (4000, 12, 2))
    assert float(task.loss(outputs, batch)) == pytest.approx(task.baseline, rel=0.05)
    # Ratios, sample by sample: how much more is lost than expected.
    surplus = np.where(np.asarray(batch.targets) == 1, -np.log(share), -np.log(1 - share)) - task.baseline
    check_mean((surplus * np.asarray(batch.weights)).sum(1), 0.0)


@pytest.mark.parametrize(("annotations", "share"), [([], "0%"), (range(1, 30), "100%")])
def test_series_that_say_the_same_everywhere_are_refused(annotations, share):
    with pytest.raises(ValueError, match=f"by hand.* in which {share} of the steps that count have a change"):
        ChangePoints(corpus(series("one", 30, annotations)), steps=10, window=3)


def test_a_folder_gives_training_validation_and_test_of_different_series(tmp_path):
    made = annotated.made_up(7, files=15, observations=40)
    held = {
        one.name: {str(place): marks.tolist() for place, marks in enumerate(one.annotations)} for one in made.series
    }
    save(tmp_path / "annotations.json", held)
    for one in made.series:
        save(tmp_path / f"{one.name}.json", written(one.name, one.values[:, 0].tolist()))
    config = {"name": "changes", "task": {"kind": "ChangePoints", "steps": 30, "window": 5}, "evaluation": 20}
    found, provenance = tasks(TaskConfig.model_validate(config | {"path": str(tmp_path)}))
    assert provenance.startswith("15 of 15 annotated series, 600 observations")
    assert [task.lengths.shape[0] for task in found] == [9, 3, 3]
    trial, _ = prepared(TaskConfig.model_validate(config), 0)
    assert trial.test.inputs.shape == (20, 30, 2)
    assert trial.unit == "nats"
    assert trial.baseline is not None
    assert 0 < trial.baseline < np.log(2)
