"""Every public machine stands under the laws, and every neuron and synapse has a test against an outside oracle.

Adding a neuron touches four places: its file, its row in the table, its test, its export. Whoever forgets one is told.
"""

import dataclasses
import functools
import importlib
import inspect
import pkgutil
from pathlib import Path

import jax
import pytest

import jaxneuro as jn
import jaxneuro.interop.equinox
import jaxneuro.interop.flax
from jaxneuro.launch.kinds import ROOMS, public
from tests.laws.machines import MACHINES, NATURES
from tests.laws.test_gradients import surrogate_of

PACKAGE = Path(jn.__file__).parent
TESTS = Path(__file__).parents[1]
# Public where they are: `import jaxneuro` must not import the libraries that they adapt.
ADAPTORS = (jaxneuro.interop.equinox, jaxneuro.interop.flax)
# What these put out is what the machines inside put out.
WRAPPERS = (
    jn.Population,
    jn.Chain,
    jn.Feedback,
    jn.Delay,
    jn.Rewritable,
    jn.networks.Network,
    jn.networks.SensorimotorColumn,
)


def concrete_machines():
    """Every class of the package that can be a machine, exported or not."""
    modules = [module.name for module in pkgutil.walk_packages(jn.__path__, "jaxneuro.")]
    kinds = set()
    for name in modules:
        if name.endswith("__main__"):
            continue
        for _, kind in inspect.getmembers(importlib.import_module(name), inspect.isclass):
            if issubclass(kind, jn.StateMachine) and not inspect.isabstract(kind) and kind.__module__ == name:
                kinds.add(kind)
    return kinds


def check_exported(kinds):
    known = {kind for room in ADAPTORS for _, kind in inspect.getmembers(room, inspect.isclass)}
    hidden = sorted(kind.__name__ for kind in kinds - set(public(jn.StateMachine).values()) - known)
    assert not hidden, f"not exported by jaxneuro/__init__.py or its wing's, nor an adaptor: {', '.join(hidden)}"


@functools.cache
def shapes(row):
    """The machine of a row without its numbers."""
    return jax.eval_shape(row.build, jax.random.key(1))


def check_rows(kinds, rows):
    covered = {type(shapes(row)) for row in rows}
    missing = sorted(kind.__name__ for kind in kinds - covered)
    assert not missing, f"no row in tests/laws/machines.py: {', '.join(missing)}"


def check_judged(rows):
    """Each row says how its gradients are judged: by finite differences, or by the distance from threshold."""
    for row in rows:
        machine = shapes(row)
        judged = row.smooth or row.distance or isinstance(machine, WRAPPERS)
        assert judged, f"{row.name} is neither smooth nor has a distance from threshold"
        spiking = surrogate_of(machine) is not None and not row.smooth
        assert not spiking or row.distance, f"{row.name} has a surrogate and no distance from threshold"


def check_oracles(package, tests):
    missing = []
    for file in sorted([*package.glob("neurons/**/*.py"), *package.glob("synapses/**/*.py")]):
        test = tests / file.relative_to(package).parent / f"test_{file.name}"
        if file.name != "__init__.py" and not (test.is_file() and "def test_" in test.read_text()):
            missing.append(str(test.relative_to(tests.parent)))
    assert not missing, f"no test against an outside oracle: {', '.join(missing)}"


def test_every_machine_is_exported():
    check_exported(concrete_machines())


def test_a_name_means_one_class_in_all_rooms():
    named = [(name, part) for room in (*ROOMS, *ADAPTORS) for name, part in vars(room).items() if inspect.isclass(part)]
    assert len(dict(named)) == len(set(named))


def test_every_machine_has_a_row():
    check_rows(concrete_machines(), MACHINES)


def test_every_row_has_a_name_of_its_own():
    names = [row.name for row in MACHINES]
    assert len(set(names)) == len(names)
    assert set(NATURES) <= set(names)


def test_every_row_says_how_its_gradients_are_judged():
    check_judged(MACHINES)


def test_every_neuron_and_synapse_has_a_test_of_its_own():
    check_oracles(PACKAGE, TESTS)


def test_a_machine_without_an_export_is_noticed():
    class Hidden(jn.Rate):
        """Not in `jaxneuro`."""

    with pytest.raises(AssertionError, match="Hidden"):
        check_exported({jn.Rate, Hidden})


def test_a_machine_without_a_row_is_noticed():
    with pytest.raises(AssertionError, match="Adaline"):
        check_rows(concrete_machines(), [row for row in MACHINES if row.name != "Adaline"])


def test_a_row_without_a_judge_is_noticed():
    unjudged = [dataclasses.replace(row, distance=None) for row in MACHINES if row.name == "LIF"]
    with pytest.raises(AssertionError, match="LIF"):
        check_judged(unjudged)


def test_a_neuron_without_a_test_is_noticed(tmp_path):
    (tmp_path / "package" / "neurons" / "new").mkdir(parents=True)
    (tmp_path / "package" / "neurons" / "new" / "thing.py").write_text('"""A neuron."""\n')
    with pytest.raises(AssertionError, match=r"tests/neurons/new/test_thing\.py"):
        check_oracles(tmp_path / "package", tmp_path / "tests")
