"""The architecture as tests: order of rooms, size of files, names, what is executed, imported and public."""

import ast
import difflib
import statistics
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import jaxneuro as jn

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*ROOT.glob("jaxneuro/**/*.py"), *ROOT.glob("experiments/**/*.py")])
FILES = sorted([*SOURCES, *ROOT.glob("tests/**/*.py")])
LAZY = ("pydantic", "matplotlib", "flax", "orbax", "rich", "yaml")
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "common", "core", "base", "misc"}
EMPTY_SUFFIXES = ("Manager", "Factory", "Registry")
EXECUTING_MODULES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
EXECUTING_CALLS = {"eval", "exec", "compile", "__import__", "yaml.load", "yaml.unsafe_load", "yaml.full_load"}

# A name is added here in the commit that adds it to `jaxneuro/__init__.py`, where everyone sees it.
PUBLIC = [
    "Adaline",
    "Affine",
    "ArcTangent",
    "Chain",
    "Conductance",
    "Conv",
    "Cosine",
    "Delay",
    "Dense",
    "Driven",
    "Euler",
    "Eventful",
    "Exact",
    "ExponentialEuler",
    "FastSigmoid",
    "Feedback",
    "Flow",
    "LIF",
    "LSTM",
    "LeakyRate",
    "LeakyReadout",
    "Located",
    "MultiGaussian",
    "NoState",
    "Perceptron",
    "Population",
    "PreciseLIF",
    "Rate",
    "Relaxing",
    "Rewritable",
    "Rewrite",
    "RungeKutta4",
    "SplitExponentialEuler",
    "StateMachine",
    "Stateless",
    "Stimulus",
    "StraightThrough",
    "Surrogate",
    "Triangular",
    "VoltageJump",
    "cast",
    "complex",
    "conversational",
    "count_parameters",
    "dendritic",
    "gated",
    "htm",
    "linear",
    "measure",
    "networks",
    "parameter",
    "run",
    "search",
    "spiking",
    "stack",
    "synapses",
    "tasks",
]


def python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_rooms_import_only_lower_rooms():
    ended = python("from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_files_are_short():
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in FILES}
    longest = sorted(lengths, key=lengths.get, reverse=True)
    report = ", ".join(f"{name} has {lengths[name]}" for name in longest[: len(lengths) // 10 + 1])
    assert lengths[longest[0]] <= 500, f"no file may have more than 500 lines: {report}"
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= 300, (
        f"nine files of ten have at most 300 lines: {report}"
    )
    assert statistics.median(lengths.values()) <= 150, "half of all files have at most 150 lines"


def test_names_of_files_and_classes_say_something():
    parts = {part for file in FILES for part in file.relative_to(ROOT).with_suffix("").parts}
    assert not {part for part in parts if part.strip("_").removeprefix("test_") in EMPTY_NAMES}
    classes = {node.name for file in SOURCES for node in ast.walk(parsed(file)) if isinstance(node, ast.ClassDef)}
    assert not {name for name in classes if name.endswith(EMPTY_SUFFIXES)}


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(), file.name)


def executions(tree: ast.Module) -> list[str]:
    """What in a program can execute what it reads: imports of picklers, `eval` and its kin."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            names = []
        found += [name for name in names if name.split(".")[0] in EXECUTING_MODULES or name in EXECUTING_CALLS]
        if isinstance(node, ast.Call):
            unpickles = any(word.arg == "allow_pickle" and getattr(word.value, "value", 1) for word in node.keywords)
            found += [name for name in [ast.unparse(node.func)] if name in EXECUTING_CALLS or unpickles]
    return found


def test_nothing_that_is_read_is_executed():
    found = {str(file.relative_to(ROOT)): executions(parsed(file)) for file in SOURCES}
    assert not {name: calls for name, calls in found.items() if calls}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "from yaml import load",
        "eval(text)",
        "exec(text, {})",
        "yaml.load(text)",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_what_executes_is_noticed(line):
    assert executions(ast.parse(line))


@pytest.mark.parametrize("line", ["jax.eval_shape(f, x)", "yaml.safe_load(text)", "np.load(path, allow_pickle=False)"])
def test_what_does_not_execute_is_not_accused(line):
    assert not executions(ast.parse(line))


def exported() -> list[str]:
    """The names that `jaxneuro/__init__.py` passes on, as `from x import Name as Name`."""
    statements = parsed(ROOT / "jaxneuro" / "__init__.py").body
    return [alias.asname for node in statements if isinstance(node, ast.ImportFrom) for alias in node.names]


def test_the_public_names_are_these():
    diff = list(difflib.unified_diff(sorted(PUBLIC), sorted(exported()), "agreed", "found", lineterm="", n=0))
    assert not diff, "\n".join(diff)
    assert len(PUBLIC) <= 80


def test_nothing_else_is_public():
    others = {name for name in dir(jn) if not name.startswith("_")} - set(exported())
    assert not {name for name in others if not isinstance(getattr(jn, name), ModuleType)}


def test_importing_jaxneuro_is_lean():
    code = f"import sys, jaxneuro; print(*[name for name in {LAZY} if name in sys.modules])"
    ended = python(code)
    assert ended.returncode == 0, ended.stderr
    assert not ended.stdout.split(), f"imported with jaxneuro: {ended.stdout}"


def test_what_compiles_the_same_programs_is_tested_in_one_process(request):
    """Among processes side by side, a test's name ends with its group; alone there is none."""
    beside = hasattr(request.config, "workerinput")
    assert request.node.nodeid.endswith("@test_architecture") == beside
