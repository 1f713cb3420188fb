import math
import random

import pytest

from jaxneuro.search.genome import Space
from jaxneuro.search.named import named
from jaxneuro.search.storage import save
from tests.experiments.small import run

SMALL = ("steps=30", "chunk=15", "batch=4", "length=16", "networks.0.units=12", "networks.1.units=12")


@pytest.fixture
def book(tmp_path):
    """Words drawn from a small vocabulary: predictable, but not from the last character alone."""
    generator = random.Random(0)
    file = tmp_path / "book.txt"
    file.write_text(" ".join(generator.choices(["neuron", "state", "machine", "spike"], k=2000)))
    return file


def test_networks_are_scored_in_bits_beside_the_floors(book, tmp_path):
    results, sections = run("text.yaml", tmp_path / "run", *SMALL, f"path={book}", "networks.0.weight_decay=0")
    assert results["symbols"] == len(set(book.read_text()))
    assert results["floors"]["bigram"] < results["floors"]["unigram"] < math.log2(results["symbols"])
    for row in results["networks"]:
        assert 0 < row["bits_per_character"] < math.log2(results["symbols"]) + 0.5
    assert [section.title for section in sections] == ["Bits per character on held-out text", "Learning curves"]
    assert [row[0] for row in sections[0].rows] == ["lstm", "similarity", "unigram", "bigram"]


@pytest.mark.slow
def test_a_cell_from_a_file_takes_part(book, tmp_path):
    save(named("MGU", Space(2, 2, 4, 1)), tmp_path / "cell.json")
    neuron = f"{{kind: EvolvedCell, genome: {tmp_path / 'cell.json'}}}"
    network = f"networks=[{{name: cell, neuron: {neuron}, units: 4, learning_rate: 0.01}}]"
    results, _ = run("text.yaml", tmp_path / "run", *SMALL[:4], network, f"path={book}", "steps=5", "chunk=5")
    (row,) = results["networks"]
    assert row["neuron"] == "EvolvedCell"
    assert row["parameters"] == 4 * 4 * (results["symbols"] + 4 + 1) + results["symbols"] * (4 + 1)
    assert 0 < row["bits_per_character"] < math.log2(results["symbols"]) + 0.5


@pytest.mark.slow
def test_training_lowers_the_bits(book, tmp_path):
    options = [*SMALL[1:], f"path={book}", "networks.0.weight_decay=0", "networks.1.weight_decay=0"]
    short, _ = run("text.yaml", tmp_path / "short", "steps=1", *options)
    long, _ = run("text.yaml", tmp_path / "long", "steps=120", *options)
    for before, after in zip(short["networks"], long["networks"], strict=True):
        assert after["bits_per_character"] < before["bits_per_character"] - 0.5
