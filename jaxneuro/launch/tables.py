"""What the command line shows as tables: neurons, experiments, configs, results."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from rich.table import Table
from rich.text import Text

from jaxneuro.launch import experiments

SIZE = 64

# What a layer is shown with that cannot be without it.
EXAMPLES: dict[str, Any] = {"inner": {"kind": "LSTM"}, "genome": "LSTM"}
# A kind that cannot be with one of these has its own.
OWN_EXAMPLES: dict[str, dict[str, Any]] = {
    "DendriticAdaptation": {"dendrites": 2},
    "KWinners": {"winners": 3},
    "MultiThreshold": {"dendrites": 3},
    "ParallelCell": {"genome": "MinGRU"},
    "Sparse": {"probability": 0.1},
    "TwoLayer": {"branches": 3},
}


def neurons() -> Table:
    """Every public machine, and what it costs."""
    from jaxneuro.launch.kinds import public
    from jaxneuro.machine import StateMachine

    rows = []
    for name, machine in public(StateMachine).items():
        wing = machine.__module__.removeprefix("jaxneuro.").removeprefix("neurons.").split(".")[0]
        told = inspect.getdoc(machine) or ""
        costs = ["" if number is None else f"{number:,}" for number in cost(name, machine)]
        rows.append([wing, name, *costs, told.split("\n")[0], reference(told)])
    columns = ["room", "kind", "states", "parameters", "operations per step", "what it is", "reference"]
    return _table(f"Neurons and what joins them (layers with {SIZE} inputs and neurons)", columns, sorted(rows))


def cost(name: str, machine: type[Any]) -> tuple[int | None, int | None, int | None]:
    """Numbers of state, parameters and operations per step of a layer of 64 inputs and 64 neurons, or of one neuron.

    Args:
        name: of the kind.
        machine: its class.

    Returns:
        The three numbers; None where the kind has no such layer, as it must be given the machines that it joins.
    """
    import jax
    import jax.numpy as jnp

    from jaxneuro.launch.kinds import Kind, build, kinds, parse
    from jaxneuro.machine import Stateless, count_parameters
    from jaxneuro.measure.cost import operations, state_numbers

    supplied = [size for size in ("inputs", "units", "outputs") if size in inspect.signature(machine).parameters]
    given = examples(name, machine)
    # What the machine takes is the first argument of `Stateless[...]`, the second of every other base.
    # A machine that extends another one takes what that one takes: its own bases may have no arguments.
    bases = [get_args(base) for each in machine.__mro__ for base in each.__dict__.get("__orig_bases__", ())]
    taken = [arguments[not issubclass(machine, Stateless)] for arguments in bases if len(arguments) > 1]
    # Where several types are taken, the first is shown.
    first = next((next(iter(get_args(each)), each) for each in taken), None)
    shape = {"": (), "*neurons": (), "inputs": (SIZE,), "units": (SIZE,)}.get(getattr(first, "dim_str", "?"))
    if shape is None or name not in kinds(Kind(supplied=(*supplied, *given))):
        return None, None, None
    spec = parse({"kind": name, **given}, Kind(supplied=tuple(supplied)))
    made = jax.eval_shape(lambda key: build(spec, key=key, **dict.fromkeys(supplied, SIZE)), jax.random.key(0))
    types = getattr(first, "dtypes", ())
    whole = [name for name in ("bool", "int32") if isinstance(types, list | tuple) and name in types]
    input = jax.ShapeDtypeStruct(shape, jnp.dtype(whole[0]) if whole else jnp.result_type(float))
    return state_numbers(made), count_parameters(made), operations(made, input)


def examples(name: str, machine: type[Any]) -> dict[str, Any]:
    """What a layer is shown with.

    Args:
        name: of the kind.
        machine: its class.

    Returns:
        Arguments that it cannot be without, as a config writes them.
    """
    takes = inspect.signature(machine).parameters
    return {field: example for field, example in EXAMPLES.items() if field in takes} | OWN_EXAMPLES.get(name, {})


def reference(docstring: str) -> str:
    """The papers that a docstring names after "Reference:"."""
    _, found, told = docstring.partition("Reference:")
    return " ".join(told.split("\n\n")[0].split()) if found else ""


def described_experiments() -> Table:
    """The experiments at or above the working directory."""
    folder = experiments.folder_above(Path.cwd())
    rows = [[name, experiments.summary(path)] for name, path in experiments.listed(folder).items()]
    return _table("Experiments", ["experiment", "question"], rows, "none: there is no experiments/ here or above")


def described_configs() -> Table:
    """The configs at or above the working directory."""
    folder = experiments.folder_above(Path.cwd(), "configs")
    found = sorted(folder.rglob("*.yaml")) if folder else []
    names = [str(path.relative_to(folder.parent)) if folder else "" for path in found]
    rows = [[name, header(path)] for name, path in zip(names, found, strict=True)]
    return _table("Configs", ["config", "what it runs"], rows, "none: there is no configs/ here or above")


def header(path: Path) -> str:
    """The comment at the top of a config."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return f"cannot be read: {error}"
    end = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "\n".join(line.removeprefix("#").strip() for line in lines[:end])


LISTS: dict[str, Callable[[], Table]] = {
    "neurons": neurons,
    "experiments": described_experiments,
    "configs": described_configs,
}


def results(found: Mapping[str, Any]) -> list[Table]:
    """The numbers of a run: a table for every list of rows in the results, and one for all single values."""
    single: list[list[str]] = []
    tables = []
    for name, value in _flat(found):
        if isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
            columns = list(dict.fromkeys(column for row in value for column in row if _is_plain(row[column])))
            rows = [[_cell(row.get(column)) for column in columns] for row in value]
            tables.append(_table(name, columns, rows))
        elif _is_plain(value):
            single.append([name, _cell(value)])
    return [*tables, _table("results", ["", ""], single)] if single else tables


def _flat(found: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """The values of nested mappings, by dotted name."""
    flat = []
    for name, value in found.items():
        flat += _flat(value, f"{above}{name}.") if isinstance(value, Mapping) else [(f"{above}{name}", value)]
    return flat


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | bool | int | float)


def _cell(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(title: str, columns: list[str], rows: list[list[str]], empty: str = "") -> Table:
    named = any(columns)
    table = Table(title=title, title_justify="left", show_header=named, caption=None if rows else empty)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*map(Text, row))  # brackets in a string would be taken for markup
    return table
