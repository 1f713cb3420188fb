"""Cells in files: `save(cell, "cell.json")`, `load("cell.json")`; the format is described in `cell_file`."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxneuro.disk import replace_file
from jaxneuro.search.canonical import canonical
from jaxneuro.search.cell import EvolvedCell
from jaxneuro.search.cell_file import (
    FORMAT,
    MOST_WEIGHTS,
    VERSION,
    WEIGHTS,
    CellFileError,
    Contents,
    Weights,
    check_note,
    from_bytes,
    read_file,
)
from jaxneuro.search.genome import Genome, check
from jaxneuro.search.text import show_as_it_is


def save(cell: Genome | EvolvedCell, path: str | os.PathLike[str], *, note: str = "") -> None:
    """Write a cell to a file; its weights too, if it has some.

    The file is written beside its place and renamed, so that its place holds the old file or the new one, never half.

    Args:
        cell: a genome or an evolved cell, of concrete numbers.
        path: the file, which is replaced if it exists.
        note: whatever should be said about the cell.

    Raises:
        CellFileError: the cell cannot be saved, or the file not be written; what was there is intact.
    """
    place = Path(path)
    if isinstance(cell, EvolvedCell):
        arrays = {name: np.asarray(getattr(cell, name), np.float64) for name in WEIGHTS}
        inputs, dtype = cell.input_weights.shape[-1], str(cell.bias.dtype)
        contents = Contents(cell.genome, Weights(inputs, cell.units, dtype, arrays), note)
    else:
        contents = Contents(cell, None, note)
    data = to_text(contents, str(place)).encode()
    try:
        replace_file(place, data, alone=False)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CellFileError(f"{place}: cannot be written: {why}. What was there before is intact.") from error


def load(path: str | os.PathLike[str]) -> Genome | EvolvedCell:
    """Read a cell from a file.

    Args:
        path: a file that `save` has written, or any other: nothing in it is trusted.

    Returns:
        The genome, or the cell if the file has weights.

    Raises:
        CellFileError: it is not a file of a cell; names the field, what came and what is allowed.
    """
    genome, weights, _ = read_file(path)
    if weights is None:
        return genome
    if weights.dtype == "float64" and not jax.config.read("jax_enable_x64"):
        raise CellFileError(f"{path}: weights.dtype is float64; JAX needs jax_enable_x64 for that.")
    # Without drawing weights that are not used.
    shell = jax.eval_shape(
        lambda: EvolvedCell(weights.inputs, weights.units, genome, key=jax.random.key(0)),
    )
    arrays = [jnp.asarray(weights.arrays[name], weights.dtype) for name in WEIGHTS]
    leaves = [*map(jnp.asarray, jax.tree.leaves(genome)), *arrays]
    return jax.tree.unflatten(jax.tree.structure(shell), leaves)


def to_text(contents: Contents, name: str = "a cell") -> str:
    """The text of a file.

    Args:
        contents: what it is to hold.
        name: what to call the file in messages.

    Returns:
        JSON; `from_bytes` reads it.

    Raises:
        CellFileError: a file may not hold this.
    """
    genome, weights, note = contents
    check_note(note, name)
    try:
        check(genome)
        form = canonical(genome)
    except ValueError as error:
        raise CellFileError(f"{name}: {error}") from error
    arrays = {field.name: np.asarray(getattr(genome, field.name)).tolist() for field in dataclasses.fields(genome)}
    parts: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "note": note,
        "digest": form.digest,
        "text": show_as_it_is(form.genome).splitlines(),
        "space": dataclasses.asdict(genome.space),
        "genome": arrays,
    }
    if weights is not None:
        count = sum(array.size for array in weights.arrays.values())
        if count > MOST_WEIGHTS:
            raise CellFileError(
                f"{name}: weights are {count:,} numbers; a file may hold {MOST_WEIGHTS:,}. Save the genome alone."
            )
        for field, array in weights.arrays.items():
            if not np.isfinite(array).all():
                raise CellFileError(f"{name}: weights.{field} is not finite; a file holds finite numbers.")
        shapes = {field: weights.arrays[field].tolist() for field in WEIGHTS}
        parts["weights"] = {"inputs": weights.inputs, "units": weights.units, "dtype": weights.dtype, **shapes}
    lines = [f" {json.dumps(key)}: {_value(value)}" for key, value in parts.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    # What is written can be read, or it is not written.
    from_bytes(text.encode(), name)
    return text


def _value(value: Any) -> str:
    """JSON with a line for each part of a mapping and of a list of lines."""
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(part)}" for key, part in value.items()) + "\n }"
    if isinstance(value, list):
        return "[\n" + ",\n".join(f"  {json.dumps(part)}" for part in value) + "\n ]"
    return json.dumps(value, ensure_ascii=False)
