"""Cells in files: what is written comes back, and whatever else a file may hold is refused by name."""

import dataclasses
import os
import stat

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.search import cell_file, storage
from jaxneuro.search.cell_file import CellFileError, Contents, from_bytes
from jaxneuro.search.genome import Space
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.storage import load, save, to_text
from tests.search.cell_files import written
from tests.search.evolved import one_cell
from tests.search.genomes import same_arrays, some


@pytest.mark.parametrize("name", TEXTS)
def test_known_cells_come_back(name, tmp_path):
    genome = named(name)
    save(genome, tmp_path / "cell.json", note="from the tests: ü")
    assert same_arrays(load(tmp_path / "cell.json"), genome)
    assert cell_file.read_file(tmp_path / "cell.json").note == "from the tests: ü"


def test_random_genomes_come_back():
    for genome in some(10, 4):
        assert same_arrays(from_bytes(to_text(Contents(genome)).encode()).genome, genome)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_a_cell_comes_back_bit_for_bit(dtype, tmp_path, float64):
    cell = one_cell(named("GRU", Space(2, 4, 6, 2)), dtype=dtype)
    save(cell, tmp_path / "cell.json")
    again = load(tmp_path / "cell.json")
    assert jax.tree.structure(again) == jax.tree.structure(cell)
    for one, other in zip(jax.tree.leaves(again), jax.tree.leaves(cell), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_double_precision_is_not_lost_silently(tmp_path):
    with jax.enable_x64(True):
        save(one_cell(named("RNN"), dtype="float64"), tmp_path / "cell.json")
    with pytest.raises(CellFileError, match=r"weights.dtype is float64; JAX needs jax_enable_x64"):
        load(tmp_path / "cell.json")


def test_a_file_is_for_readers_too():
    lines = written().splitlines()
    assert '  "stage reads h1",' in lines
    assert ' "version": 1,' in lines
    assert max(map(len, lines)) < 120


def test_writing_replaces_the_file_as_a_whole(tmp_path, monkeypatch):
    place = tmp_path / "cell.json"
    save(named("RNN"), place)
    before = place.read_bytes()
    for broken in ("fsync", "replace"):
        monkeypatch.setattr(storage.os, broken, lambda *_: (_ for _ in ()).throw(OSError(28, "no space left")))
        with pytest.raises(CellFileError, match=r"cell.json: cannot be written: no space left. What was there before"):
            save(named("GRU"), place)
        monkeypatch.undo()
        assert place.read_bytes() == before
        assert os.listdir(tmp_path) == ["cell.json"]
    save(named("GRU"), place)
    assert same_arrays(load(place), named("GRU"))
    assert os.listdir(tmp_path) == ["cell.json"]
    assert stat.S_IMODE(place.stat().st_mode) & 0o400


def test_places_that_cannot_be_written_or_read_are_named(tmp_path):
    with pytest.raises(CellFileError, match=r"nowhere/cell.json: cannot be written: No such file"):
        save(named("RNN"), tmp_path / "nowhere" / "cell.json")
    for place in (tmp_path, tmp_path / "missing.json", "/dev/zero", "a\0b"):
        with pytest.raises(CellFileError, match=r"there is no such file|cannot be read"):
            load(place)


def test_what_a_file_may_not_hold_is_not_written(tmp_path):
    place = tmp_path / "cell.json"
    cell = one_cell(named("RNN"))
    endless = eqx.tree_at(lambda m: m.bias, cell, cell.bias.at[0, 0, 1].set(jnp.nan))
    large = eqx.tree_at(lambda m: m.recurrent_weights, cell, jnp.zeros((1, 1, 1001, 1001)))
    outside = dataclasses.replace(named("RNN"), output=np.asarray(99, np.int32))
    population = jax.tree.map(lambda leaf: np.stack([leaf, leaf]), named("RNN"))
    for what, note, match in (
        (endless, "", r"cell.json: weights.bias is not finite"),
        (large, "", r"cell.json: weights are 1,002,0\d\d numbers; a file may hold 1,000,000. Save the genome alone."),
        (outside, "", r"cell.json: Genome.output is 99; it must be 0 to 3."),
        (population, "", r"cell.json: Genome.source has shape \[2, 1\]; it must be \[1\]."),
        (cell, "x" * 10_001, r"cell.json: note is 'x+\.\.\.; it must be text of at most 10,000 Unicode characters"),
        (cell, "\ud800", r"cell.json: note is '.ud800'; it must be text"),
    ):
        with pytest.raises(CellFileError, match=match):
            save(what, place, note=note)
    assert not os.listdir(tmp_path)


def test_a_large_file_is_not_read_to_its_end(tmp_path):
    place = tmp_path / "cell.json"
    with place.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(CellFileError, match="has more than 33,554,432 bytes"):
        load(place)
