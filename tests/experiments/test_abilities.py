"""The battery of abilities in small: sizes, skills, slopes, attacks, and the report."""

import jax
import numpy as np
import pytest

from experiments.abilities import Contender, Contrast, against, by_ability, complexity, contrasted, robust, sized
from jaxneuro.launch.abilities_page import answer, verdict
from jaxneuro.launch.config import ConfigError
from jaxneuro.learning import train
from tests.experiments.small import run
from tests.tasks.test_annotated import save, written


def row(neuron, task="a", ability="forget", complexity=10.0, skills=(0.5, 0.6), **more):
    told = {"neuron": neuron, "task": task, "ability": ability, "complexity": complexity, "skills": list(skills)}
    return told | {"besides": None} | more


def test_a_size_is_met_as_nearly_as_whole_neurons_allow():
    contender = Contender.model_validate({"name": "it", "neuron": {"kind": "RNN"}})

    def count(shapes):
        return train.count_trained(shapes, ("weights", "bias", "input_weights", "recurrent_weights"))

    def build(units):
        return lambda key: contender.draw(4, units, 2, key=key)

    units, size = sized(build, 300, count)
    # By hand: units^2 of the recurrence, 4 of the input, bias; two outputs and their biases.
    sizes = {number: number * number + 5 * number + 2 * number + 2 for number in range(2, 30)}
    assert (units, size) == min(sizes.items(), key=lambda item: abs(item[1] - 300))
    assert count(jax.eval_shape(build(units), jax.random.key(0))) == size


def test_complexity_is_what_a_neuron_computes_beside_its_products():
    contender = Contender.model_validate({"name": "it", "neuron": {"kind": "RNN"}})
    shapes = jax.eval_shape(lambda key: contender.draw(4, 10, 2, key=key), jax.random.key(0))
    # By hand: the sum of both products, the bias and tanh of each neuron; the bias of each of two outputs.
    assert complexity(shapes, jax.ShapeDtypeStruct((4,), "float32"), 10) == pytest.approx((3 * 10 + 2) / 10)


def test_skill_goes_with_complexity_over_the_neurons_that_did_everything():
    rows = [
        row(name, task, complexity=value, skills=(skill - 0.1, skill + 0.1))
        for name, value, skill in (("a", 1.0, 0.1), ("b", 10.0, 0.3), ("c", 100.0, 0.5), ("d", 1000.0, 0.7))
        for task in ("one", "two")
    ]
    (found,) = by_ability([*rows, row("e", "one", complexity=1e6, skills=(0.0, 0.0))])
    assert [one["neuron"] for one in found["neurons"]] == ["a", "b", "c", "d"]
    assert found["slope"]["mean"] == pytest.approx(0.2)
    assert found["slope"]["low"] == pytest.approx(0.2)
    assert found["neurons"][1]["mean"] == pytest.approx(0.3)


def test_each_neuron_is_compared_with_the_reference_seed_by_seed():
    rows = [row("RNN", skills=(0.1, 0.2, 0.3)), row("LSTM", skills=(0.4, 0.5, 0.61)), row("LSTM", task="b")]
    (found,) = against(rows, "RNN")
    assert (found["neuron"], found["task"]) == ("LSTM", "a")
    assert found["mean"] == pytest.approx((0.3 + 0.3 + 0.31) / 3)
    assert found["p"] < 0.001


def test_to_withstand_is_to_stay_above_chance():
    (fgsm, worst) = robust([row("a", besides={"fgsm": [100.0, 55.0], "worst": [10.0, 0.0]}), row("b")])
    assert (fgsm["ability"], fgsm["task"], worst["task"]) == ("robust", "a, fgsm", "a, worst")
    assert fgsm["skills"] == pytest.approx([1.0, 0.5])
    assert worst["skills"] == pytest.approx([0.0, -1 / 9])


def test_contrasts_are_told_where_both_took_part():
    rows = [row("GORU", skills=(0.8, 0.9, 0.71)), row("unitary", skills=(0.1, 0.2, 0.0))]
    told = {"task": "a", "better": "GORU", "worse": "unitary", "source": "a paper"}
    (found,) = contrasted(rows, [Contrast(**told), Contrast(**told | {"task": "b"})])
    assert found["mean"] == pytest.approx((0.7 + 0.7 + 0.71) / 3)
    assert found["skills"] == pytest.approx([(0.8 + 0.9 + 0.71) / 3, 0.1])
    assert found["p"] < 0.001


def test_a_slope_is_judged_by_its_interval_and_the_control_the_other_way_round():
    rising, level = {"mean": 0.2, "low": 0.1, "high": 0.3}, {"mean": 0.1, "low": -0.1, "high": 0.3}
    assert verdict(rising, control=False) == "rises: as said"
    assert verdict(rising, control=True) == "rises: not as said"
    assert verdict(level, control=True) == "neither rises nor falls: as said"
    assert verdict(level, control=False) == "neither rises nor falls: not as said"
    told = answer([{"ability": "see", "slope": level}, {"ability": "forget", "slope": rising}], "see")
    assert told == "Skill rises with complexity in forget; no slope is shown in see. (see is the control.)"


@pytest.mark.slow
def test_a_small_run_has_all_neurons_all_tasks_attacks_and_a_page(tmp_path):
    tasks = (
        "tasks=[{name: same, ability: abstract, task: {kind: SameDifferent, pause: 1}, steps: 10, evaluation: 20}, "
        "{name: digits, ability: perceive, task: {kind: ImageSequences, order: rows}, steps: 10, evaluation: 20, "
        "attack: 0.1}, {name: context, ability: switch, task: {kind: ContextDecision, steps: 4}, steps: 10}]"
    )
    neurons = (
        "neurons=[{name: threshold, neuron: {kind: Rate}, recurrent: false}, {name: RNN, neuron: {kind: RNN}}, "
        "{name: LSTM, neuron: {kind: LSTM}, shape: gated}, {name: huge, neuron: {kind: TwoLayer, branches: 900}}]"
    )
    changes = (tasks, neurons, "size=300", "tolerance=0.2", "tuning.chunk=10", "devices=1")
    results, sections = run("abilities/quick.yaml", tmp_path / "run", *changes)
    assert {(one["neuron"], one["task"]) for one in results["rows"]} == {
        (neuron, task)
        for neuron in ("threshold", "RNN", "LSTM")
        for task in ("same", "context", "digits", "digits, fgsm", "digits, worst")
    }
    assert [one["ability"] for one in results["abilities"]] == ["abstract", "perceive", "switch", "robust"]
    assert all(abs(one["parameters"] / 300 - 1) <= 0.2 for one in results["rows"])
    by_name = {one["neuron"]: one["complexity"] for one in results["rows"]}
    assert by_name["LSTM"] > by_name["RNN"]
    assert {one["name"] for one in results["left_out"]} == {"huge"}
    assert "with 2 neurons; wanted are 300" in results["left_out"][0]["reason"]
    attacked = next(one["besides"] for one in results["rows"] if one["task"] == "digits")
    heeded = next(one["besides"] for one in results["rows"] if one["task"] == "context")
    assert set(heeded) == {"relevant", "irrelevant"}
    assert np.mean(attacked["pgd"]) <= np.mean(attacked["clean"])
    assert [section.title for section in sections][:3] == ["What does inner complexity buy?", "Slopes", "Skills"]
    assert (tmp_path / "run" / "report.html").stat().st_size < 1_000_000


@pytest.mark.slow
def test_annotated_series_of_a_folder_are_a_task(tmp_path):
    folder = tmp_path / "series"
    annotations = {}
    for name, change in (("a", 9), ("b", 12), ("c", 15)):
        values = [*range(change), *range(50, 74 - change)]
        save(folder / f"{name}.json", written(name, values))
        annotations[name] = {"1": [change], "2": [change + 1]}
    save(folder / "annotations.json", annotations)
    changes = (
        f"tasks=[{{name: changes, ability: forget, task: {{kind: ChangePoints, steps: 20, window: 4}}, path: {folder}, "
        "steps: 10, evaluation: 20}]",
        "neurons=[{name: RNN, neuron: {kind: RNN}}, {name: LSTM, neuron: {kind: LSTM}, shape: gated}]",
        *("size=300", "tolerance=0.2", "tuning.chunk=10", "devices=1"),
    )
    results, _ = run("abilities/quick.yaml", tmp_path / "run", *changes)
    assert {(one["neuron"], one["task"]) for one in results["rows"]} == {("RNN", "changes"), ("LSTM", "changes")}
    assert all(0 < one["baseline"] < np.log(2) for one in results["rows"])


def test_a_reference_that_does_not_take_part_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"reference: RNNN is not a known neuron\. Did you mean RNN"):
        run("abilities/quick.yaml", tmp_path / "run", "reference=RNNN")


@pytest.mark.parametrize("field", ["task", "better", "worse"])
def test_a_contrast_of_what_does_not_take_part_is_refused(tmp_path, field):
    told = {"task": "digits", "better": "LSTM", "worse": "RNN", "source": "it"} | {field: "nothing"}
    written = ", ".join(f"{name}: {value}" for name, value in told.items())
    with pytest.raises(ConfigError, match=rf"contrasts\.0\.{field}: nothing is not a known"):
        run("abilities/quick.yaml", tmp_path / "run", f"contrasts=[{{{written}}}]")
