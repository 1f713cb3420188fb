"""The symbolic memory in small; that a memory hears what it should, and that tables do what can be known of them."""

import jax.numpy as jnp
import pytest

from experiments.symbolic_memory import MEMORY, consult, differences
from jaxneuro.launch.config import ConfigError
from jaxneuro.launch.symbolic_page import answer
from jaxneuro.measure.ngrams import Table
from jaxneuro.tasks.batch import Batch
from jaxneuro.tasks.interleaved import interleaved
from tests.experiments.small import run

SMALL = ("training=60", "evaluation=10", "chunk=500", "learning_rates=[0.01, 0.03]", "orders=[1, 2]")
LAST = "tasks=[{name: last, ability: ignore, task: {kind: SelectiveCopy, noise: 0, symbols: 2, length: 1}}]"


@pytest.mark.slow
def test_what_has_just_been_is_learnt_by_the_memory_and_by_a_table_of_two(tmp_path):
    # A symbol, a marker, the answer: it takes two symbols.
    results, sections = run("symbolic_memory/quick.yaml", tmp_path / "run", *SMALL, LAST)
    skills = {row["name"]: row["skills"] for row in results["rows"]}
    for mode in ("told", "own"):
        assert min(skills[MEMORY][mode]) > 0.7
        assert min(skills["table of 2"][mode]) > 0.7
        assert max(skills["table of 1"][mode]) < 0.1
    right = next(row["right"] for row in results["rows"] if row["name"] == MEMORY)
    assert right["told"] == right["own"] == [1.0, 1.0]
    assert {one["table"] for one in results["differences"]} == {"table of 2"}
    assert set(results["overflow"].values()) == {0}
    assert [section.title for section in sections][:2] == ["Answer", "Skill where right answers are told"]


def test_who_hears_its_own_answers_is_told_nothing():
    # Nothing is shown, and all answers of a sequence are the same: half of the first are right, told all others are.
    def batch(rows):
        targets = jnp.tile(jnp.arange(rows, dtype=jnp.int32)[:, None] % 2, (1, 4))
        return Batch(jnp.zeros((rows, 4, 1)), targets, jnp.ones((rows, 4)))

    (training, test), shown = interleaved([batch(40), batch(20)])
    table = Table(2, 2)
    consult(table, training, shown, True)
    told, own = consult(table, test, shown, False), consult(table, test, shown, False, tell=False)
    assert told.right.reshape(20, 4).mean(axis=0).tolist() == [0.5, 1.0, 1.0, 1.0]
    assert own.right.reshape(20, 4).mean(axis=0).tolist() == [0.5, 0.5, 0.5, 0.5]
    assert told.loss.mean() < 0.3 < 1.0 < own.loss.mean()


def test_the_memory_is_compared_with_the_table_that_is_best():
    def row(task, name, *skills):
        return {"task": task, "name": name, "skills": {"told": list(skills), "own": [0.0, 0.1, 0.0]}}

    rows = [
        row("a", MEMORY, 0.9, 0.91, 0.92),
        row("a", "table of 1", 0.1, 0.1, 0.12),
        row("a", "table of 2", 0.2, 0.2, 0.2),
        row("b", MEMORY, 0.1, 0.11, 0.12),
        row("b", "table of 1", 0.8, 0.8, 0.82),
        row("b", "table of 2", 0.2, 0.2, 0.2),
    ]
    found = {(one["task"], one["mode"]): one for one in differences(rows)}
    assert found["a", "told"]["table"] == "table of 2"
    assert found["a", "told"]["mean"] == pytest.approx(0.71)
    assert found["b", "told"]["table"] == "table of 1"
    assert found["b", "told"]["p"] < 0.05 < found["b", "own"]["p"]
    said = answer(list(found.values()))
    assert (
        "the temporal memory has more skill than the best table on a, has less skill than the best table on b." in said
    )
    assert said.endswith("the temporal memory cannot be told apart from it on a, b.")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("memory={kind: KWinners, winners: 3}", "memory.kind is KWinners; it must be TemporalMemory"),
        ("active=40", "flip-flop has 10 symbols of active=40 minicolumns; the memory has 320, it needs 400"),
        ("tasks=[{name: it, ability: see, task: {kind: ImageSequences, order: rows}}]", "optimum|is missing"),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path, change, message):
    with pytest.raises(ConfigError, match=message):
        run("symbolic_memory/quick.yaml", tmp_path / "run", *SMALL, change)
