import math
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from jaxneuro.launch import config as launch
from jaxneuro.launch.config import ConfigError, ConfigPart, Count, ExperimentConfig, LearningRate, load
from jaxneuro.launch.directory import config_hash
from jaxneuro.launch.overrides import override
from jaxneuro.launch.reading import read_text, write


class Optimizer(ConfigPart):
    name: Literal["adam", "sgd"] = "adam"
    learning_rate: LearningRate


class Config(ExperimentConfig):
    sweepable = True

    steps: Count = 10
    seeds: Count = Field(default=3, le=1000)
    clip: launch.Positive = 1.0
    note: str | None = None
    optimizers: tuple[Optimizer, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _few(self):
        if self.seeds > self.steps:
            raise ValueError("seeds must be at most steps")
        return self


VALID = """experiment: digits
steps: 20
optimizers:
- {name: adam, learning_rate: 1e-2}
- {learning_rate: 1}
"""


def complaint(text):
    with pytest.raises(ConfigError) as caught:
        load(Config, read_text(text, "x.yaml"))
    return str(caught.value)


def test_a_valid_config_is_complete_frozen_and_typed():
    config = load(Config, read_text(VALID, "x.yaml"))
    assert (config.seed, config.devices, config.seeds) == (0, 1, 3)
    assert config.optimizers[1] == Optimizer(name="adam", learning_rate=1.0)
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 3


def test_the_resolved_config_reads_back_as_the_same_config_with_the_same_hash():
    config = load(Config, read_text(VALID + "note: 1e3 and 12:30\nclip: 1e-3\n", "x.yaml"))
    again = load(Config, read_text(write(config.resolved()), "y.yaml"))
    assert again == config
    assert config_hash(again.resolved()) == config_hash(config.resolved())


def test_the_hash_depends_on_every_value():
    def of(*changes):
        document = read_text(VALID, "x.yaml")
        for change in changes:
            document = override(document, change)
        return config_hash(load(Config, document).resolved())

    assert of() == of("steps=20")
    assert len({of(), of("steps=21"), of("optimizers.1.learning_rate=0.9"), of("clip=2"), of("seed=1")}) == 5
    assert of() == of("whole_loops=false") != of("whole_loops=true")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("stepz=3", "override 'stepz=3': stepz is not a known field. Did you mean steps? Allowed: experiment, seed"),
        ("steps=1e3", "steps is 1000.0; it must be a whole number of at least 1 and at most 2147483647. Write 1000."),
        ("steps=true", "steps is true; it must be a whole number"),
        ("steps='3'", "steps is '3'; it must be a whole number"),
        ("seeds=2000", "seeds is 2000; it must be a whole number of at least 1 and at most 1000."),
        ("seed=-1", "seed is -1; it must be a whole number of at least 0 and at most 4294967295."),
        ("seed=null", "seed is null; it must be a whole number"),
        ("clip=.nan", "clip is nan; it must be a finite number above 0 and at most 1e+18."),
        ("clip=.inf", "clip is inf"),
        ("clip=1e400", "clip is inf"),
        ("clip=1e-320", "clip is 1e-320; it must be a finite number above 0"),
        ("devices=2000", "devices is 2000; it must be a whole number of at least 1 and at most 1024."),
        ("experiment=../x", "experiment is '../x'; it must be the name of a file in experiments/"),
        ("note=3", "note is 3; it must be text of at most 4096 characters or null."),
        ("optimizers=[]", "optimizers is an empty list; it must be a list of at least 1 element, each a mapping with"),
        ("optimizers.0.name=adamm", "optimizers.0.name is 'adamm'; it must be one of adam, sgd."),
        ("optimizers.0.learningrate=1", "optimizers.0.learningrate is not a known field. Did you mean learning_rate?"),
        (
            "optimizers.1={}",
            "optimizers.1.learning_rate is missing; it must be a finite number above 0 and",
        ),
        ("optimizers.1=3", "optimizers.1 is 3; it must be a mapping with the fields name, learning_rate."),
        ("steps=2", "seeds must be at most steps"),
    ],
)
def test_a_wrong_value_is_told_with_its_field_what_came_and_what_is_allowed(change, message):
    with pytest.raises(ConfigError) as caught:
        load(Config, override(read_text(VALID, "x.yaml"), change))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_problem_has_its_own_line_with_file_and_line():
    lines = complaint("experiment: digits\nseed: -1\noptimizers:\n- {learning_rate: 0}\n- {lr: 1}\n").split("\n")
    assert [line.split(" is ")[0] for line in lines] == [
        "x.yaml, line 2: seed",
        "x.yaml, line 4: optimizers.0.learning_rate",
        "x.yaml, line 5: optimizers.1.learning_rate",
        "x.yaml, line 5: optimizers.1.lr",
    ]


def test_the_list_of_problems_ends_somewhere():
    lines = complaint("experiment: digits\noptimizers: [" + "{learning_rate: 0}," * 200 + "]").split("\n")
    assert len(lines) == launch.MOST_TOLD + 1
    assert lines[-1] == "... and 180 more."


def test_huge_values_give_short_messages():
    for value in ("9" * 900, "'" + "x" * 100_000 + "'", "[" + "1," * 5000 + "]"):
        assert len(complaint(VALID + f"clip: {value}")) < 300


def test_a_preamble_is_read_from_a_config_of_any_experiment():
    preamble = load(launch.Preamble, read_text("experiment: digits\ndevices: 2\nother: [1, 2]", "x.yaml"))
    assert (preamble.experiment, preamble.seed, preamble.devices) == ("digits", 0, 2)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (launch.Positive, [1e-30, 1, 1e18], [0, -1, 1e19, math.inf]),
        (launch.NonNegative, [0, 3], [-1e-9, 1e308]),
        (launch.Fraction, [0, 0.5, 1], [-0.1, 1.1]),
        (launch.Share, [0.1, 0.9], [0, 1]),
        (launch.LearningRate, [1e-5, 100], [0, 101, 1e308]),
        (launch.Number, [-1e18, 0], [1e19, math.nan]),
        (launch.Count, [1, 2**31 - 1], [0, -1, 2**31, 10**400, 1.0, True]),
        (launch.Whole, [0], [-1, 10**400]),
        (launch.Seed, [0, 2**32 - 1], [2**32, -1]),
        (launch.Seeds, [1, 10_000], [0, 10_001]),
        (launch.Name, ["a-b_C1"], ["", "a b", "a/b", "a" * 65, "a\n"]),
    ],
)
def test_the_limits_of_every_kind_of_number(kind, good, bad):
    class Only(ConfigPart):
        it: kind

    for value in good:
        assert Only(it=value).it == value
    for value in bad:
        with pytest.raises(ValidationError):
            Only(it=value)


def test_a_field_narrows_its_kind_from_either_side():
    class Narrow(ConfigPart):
        by_default: Count = Field(default=3, ge=2, le=5)
        by_type: Annotated[Count, Field(le=5)] = 3

    for name, value in [("by_default", 6), ("by_default", 1), ("by_type", 6), ("by_type", 0)]:
        with pytest.raises(ValidationError):
            Narrow(**{name: value})


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ("{clip: []}", "sweep.clip is an empty list; it must be a list of at least 1 and at most 10000 elements"),
        ("{clip: [1, x]}", "sweep.clip.1 is 'x'; it must be a finite number"),
        ("{clip: [1, -1]}", "sweep.clip.1 is -1.0; it must be a finite number above 0"),
        ("{clip: 3}", "sweep.clip is 3; it must be a list"),
        ("{clipp: [1]}", "sweep.clipp is not a known field. Did you mean clip? Allowed: seed, clip, optimizers.0"),
        ("{steps: [1]}", "sweep.steps is not a number that can vary within one program. "),
        ("{optimizers.7.learning_rate: [1]}", "is not a known field. Did you mean optimizers.1.learning_rate?"),
        ("{optimizers: [1]}", "sweep.optimizers is not a number"),
        ("{seed: [1.5]}", "sweep.seed.0 is 1.5; it must be a whole number"),
        ("[1]", "sweep is [1]; it must be a mapping"),
        (f"{{clip: [{'1,' * 400}], optimizers.0.learning_rate: [{'1,' * 400}]}}", "sweep has 160,000 combinations"),
    ],
)
def test_a_sweep_over_what_is_no_number_or_out_of_range_is_refused(sweep, message):
    assert message in complaint(f"{VALID}sweep: {sweep}")


def test_an_experiment_whose_programs_xla_cannot_compile_whole_says_so():
    text = f"{VALID}whole_loops: true\n"
    assert load(Config, read_text(text, "x.yaml")).whole_loops
    with pytest.raises(ConfigError, match="whole_loops is not taken by search_cells"):
        load(Config, read_text(text.replace("digits", "search_cells"), "x.yaml"))


def test_an_experiment_without_lanes_takes_no_sweep():
    class Fixed(Config):
        sweepable = False

    with pytest.raises(ConfigError, match="sweep is not taken by digits"):
        load(Fixed, read_text(f"{VALID}sweep: {{clip: [1]}}", "x.yaml"))
