"""Every field of a config, spoilt in every way: it is a value that the field allows, or one clear message."""

import copy
import enum
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from jaxneuro.launch import experiments
from jaxneuro.launch.advice import ConfigError, dotted
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Fraction, LearningRate, Name, Positive, load
from jaxneuro.launch.kinds import Kind, MachineSpec
from jaxneuro.launch.reading import read, read_text

PROJECT = Path(__file__).parents[2]
PLACEHOLDER = "<here>"


# How messages begin to say what is allowed.
ALLOWED = ("must be", "Allowed:", "not allowed", "may be", "may hold", "are read", "leave it out", "is refused")


class Reset(enum.Enum):
    HARD = "hard"
    SOFT = "soft"


class Optimizer(ConfigPart):
    name: Literal["adam", "sgd"] = "adam"
    learning_rate: LearningRate
    decay: Fraction = 0.0


class Layer(ConfigPart):
    name: Name
    neuron: Annotated[MachineSpec, Kind(supplied=("inputs", "units"))]
    units: Count = Field(default=8, le=1000)
    readout: MachineSpec | None = None


class Config(ExperimentConfig):
    sweepable = True

    steps: Count
    clip: Positive = 1.0
    note: str | None = None
    verbose: bool = False
    reset: Reset = Reset.HARD
    sizes: tuple[int, ...] | int = 3
    optimizer: Optimizer
    layers: tuple[Layer, ...] = Field(min_length=1)
    weights: dict[Name, Fraction] = Field(default_factory=dict)


VALID = {
    "experiment": "digits",
    "seed": 1,
    "devices": 1,
    "steps": 10,
    "clip": 0.5,
    "note": "a note",
    "verbose": True,
    "reset": "soft",
    "sizes": [3, 4],
    "optimizer": {"name": "sgd", "learning_rate": 0.1, "decay": 0.5},
    "layers": [
        {"name": "a", "neuron": {"kind": "LSTM"}, "units": 4},
        {
            "name": "b",
            "neuron": {"kind": "LIF", "tau_ms": 5, "spike": {"kind": "FastSigmoid", "slope": 2}},
            "readout": {"kind": "Dense", "inputs": 2, "outputs": 3, "bias": False, "gain": 2},
        },
    ],
    "weights": {"left": 0.5},
    "sweep": {"optimizer.learning_rate": [0.1, 0.2], "layers.1.neuron.spike.slope": [1, 2]},
}

# What comes in the place of a value, as YAML. FILE is a path that must not come into being.
DEEP = "deep lists"
FAULTS = {
    "negative": "-1",
    "zero": "0",
    "NaN": ".nan",
    "infinity": "-.inf",
    "largest float": "1e308",
    "number as text": '"1e-3"',
    "huge whole number": f"1{'0' * 400}",
    "number of 5000 digits": "9" * 5000,
    "huge text": f'"{"x" * 100_000}"',
    "empty": "",
    "empty text": '""',
    "null": "null",
    "truth": "true",
    "list": "[1, 2]",
    "empty list": "[]",
    "mapping": "{a: 1}",
    "empty mapping": "{}",
    "alias bomb": "[&a [x, x], &b [*a, *a, *a], &c [*b, *b, *b], [*c, *c, *c]]",
    "python object": '!!python/object/apply:os.mkdir ["FILE"]',
    "python name": "!!python/name:os.system",
    DEEP: "[" * 20_000 + "]" * 20_000,
    "deep mappings": "{a: " * 5_000 + "}" * 5_000,
}


def fields(value, above=()):
    """The location of every value inside a config."""
    for part in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*above, part)
        yield from fields(value[part], (*above, part))


def spoil(valid, location, change):
    """The config with `change(mapping or list, key)` done at a location."""
    data = copy.deepcopy(valid)
    inside = data
    for part in location[:-1]:
        inside = inside[part]
    change(inside, location[-1])
    return data


def require_clear(model, text, location):
    """Valid, or refused with the field's path and what is allowed."""
    try:
        load(model, read_text(text, "x.yaml"))
    except ConfigError as error:
        message = str(error)
        assert all(line.startswith("x.yaml") for line in message.split("\n")), message
        assert len(message) < 4000
        if re.match(r"x\.yaml, line \d+, column \d+: this is not YAML: ", message):
            return  # no value belongs to a field yet
        assert dotted(location) in message
        assert any(words in message for words in ALLOWED), message


def real_configs():
    """The project's own configs, as their experiments resolve them."""
    for path in sorted((PROJECT / "configs").glob("*.yaml")):
        document = read(path)
        model = experiments.load(document.data["experiment"], path).config
        yield pytest.param(model, load(model, document).resolved(), id=path.name, marks=pytest.mark.slow)


CONFIGS = [pytest.param(Config, VALID, id="representative"), *real_configs()]
every_config = pytest.mark.parametrize(("model", "valid"), CONFIGS)


@every_config
def test_the_config_is_valid_before_it_is_spoilt(model, valid):
    load(model, read_text(json.dumps(valid), "x.yaml"))


def every_fault():
    """In every config; lists within lists, which the reader refuses whatever the field is, in one."""
    for config in CONFIGS:
        for fault in FAULTS:
            if fault != DEEP or config is CONFIGS[0]:
                marks = (*config.marks, *[pytest.mark.slow] * (fault == DEEP))
                yield pytest.param(*config.values, fault, id=f"{config.id}-{fault}", marks=marks)


@pytest.mark.parametrize(("model", "valid", "fault"), list(every_fault()))
def test_a_spoilt_value_is_allowed_or_told(model, valid, fault, tmp_path):
    trace = tmp_path / "trace"
    written = FAULTS[fault].replace("FILE", str(trace))
    for location in fields(valid):
        data = spoil(valid, location, lambda inside, key: inside.__setitem__(key, PLACEHOLDER))
        require_clear(model, json.dumps(data).replace(f'"{PLACEHOLDER}"', written), location)
    assert not trace.exists()


@every_config
def test_a_missing_value_is_allowed_or_told(model, valid):
    for location in fields(valid):
        data = spoil(valid, location, lambda inside, key: inside.pop(key))
        # An element that is not there is not a field: its list is what is too short then.
        require_clear(model, json.dumps(data), location if isinstance(location[-1], str) else location[:-1])


@every_config
@pytest.mark.parametrize("typo", [lambda name: name[1:] + name[0], lambda name: name + "x", lambda name: name.upper()])
def test_a_misspelt_field_is_told_with_the_right_one(model, valid, typo):
    for location in fields(valid):
        *above, name = location
        if isinstance(name, int) or above[:1] in (["weights"], ["sweep"]) or typo(name) == name:
            continue
        data = spoil(valid, location, lambda inside, key: inside.__setitem__(typo(key), inside.pop(key)))
        require_clear(model, json.dumps(data), (*above, typo(name)) if name != "kind" else location)


@every_config
def test_an_unknown_field_is_told_with_all_that_are_allowed(model, valid):
    for location in [(), *fields(valid)]:
        data = copy.deepcopy(valid)
        inside = data
        for part in location:
            inside = inside[part]
        if isinstance(inside, dict) and location not in (("weights",), ("sweep",)):
            inside["qqq"] = 1
            with pytest.raises(ConfigError, match="is not a known field") as caught:
                load(model, read_text(json.dumps(data), "x.yaml"))
            assert dotted((*location, "qqq")) in str(caught.value)
            assert "Allowed: " in str(caught.value)


BAD = {
    "experiment: [": "this is not YAML",
    "experiment: &a a\nseed: *a": "anchors",
    'experiment: !!python/object/apply:os.mkdir ["trace"]': "the tag",
    "experiment: digits\nseed: -1": "seed is -1; it must be a whole number of at least 0",
    "experiment: nothing": "is not a known experiment",
    "experiment: empty\nsteps: 1e308": "steps is 1e+308; it must be a whole number",
}


def test_the_command_refuses_a_bad_config_in_one_message_without_traceback(tmp_path):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "empty.py").write_text(
        "from jaxneuro.launch.config import Count, ExperimentConfig\n"
        "class Config(ExperimentConfig):\n    steps: Count = 1\n"
        "def main(config, run): ...\ndef page(config, results, arrays): ...\n"
    )
    environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache")}
    started = []
    for number, config in enumerate(BAD):
        (tmp_path / f"{number}.yaml").write_text(config)
        words = [sys.executable, "-m", "jaxneuro", "run", f"{number}.yaml"]
        started.append(subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True))
    for process, message in zip(started, BAD.values(), strict=True):
        _, error = process.communicate(timeout=300)
        assert process.returncode == 2
        assert message in error
        assert "Traceback" not in error
    assert not (tmp_path / "trace").exists()
    assert not (tmp_path / "runs").exists()
