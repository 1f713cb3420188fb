"""Configs: what an experiment may be told, checked before anything runs.

A config is JSON in YAML's clothes: it is checked as pydantic checks JSON, strictly. A whole number passes for a number;
`true` passes for neither, and text never for a number. Nothing unknown, nothing infinite, nothing that is not a number.
"""

import json
import math
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from jaxneuro.launch import sweep
from jaxneuro.launch.advice import ConfigError as ConfigError
from jaxneuro.launch.advice import Location
from jaxneuro.launch.explain import SENTENCE, Problem, problems
from jaxneuro.launch.limits import Count as Count
from jaxneuro.launch.limits import Fraction as Fraction
from jaxneuro.launch.limits import LearningRate as LearningRate
from jaxneuro.launch.limits import Name as Name
from jaxneuro.launch.limits import NonNegative as NonNegative
from jaxneuro.launch.limits import Number as Number
from jaxneuro.launch.limits import Positive as Positive
from jaxneuro.launch.limits import Seed as Seed
from jaxneuro.launch.limits import Seeds as Seeds
from jaxneuro.launch.limits import Share as Share
from jaxneuro.launch.limits import Whole as Whole
from jaxneuro.launch.limits import Within as Within
from jaxneuro.launch.reading import Document

MOST_LANES = 100_000
MOST_TOLD = 20
# XLA 0.10 merges the outputs of an evaluator of graphs wrongly, finds out, and ends the process.
WITHOUT_WHOLE_LOOPS = ("search_cells", "search_speed")


class ConfigPart(BaseModel):
    """A mapping inside a config."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, str_max_length=4096, protected_namespaces=()
    )


class Preamble(ConfigPart):
    """What must be known before an experiment's own code is loaded; the other fields are not looked at."""

    model_config = ConfigDict(extra="ignore")

    experiment: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_]+$",
            max_length=64,
            json_schema_extra={"summary": "the name of a file in experiments/: 1 to 64 letters, digits and _"},
        ),
    ]
    seed: Seed = 0
    devices: Annotated[int, Within(at_least=1, at_most=1024)] = 1
    whole_loops: bool = False


class ExperimentConfig(Preamble):
    """What every experiment's `Config` inherits.

    Fields:
        experiment: the name of a file in `experiments/`, without `.py`.
        seed: of all that is random.
        devices: over how many devices lanes are spread, in each process.
        whole_loops: whether XLA compiles small loops over time as single functions: on CPUs several times as fast for
            networks and populations of simple neurons, slower where a step is a matrix product.
        sweep: lists of numbers, by the dotted path of the field they replace; see `jaxneuro.launch.sweep`. Only an
            experiment that says `sweepable = True` takes one.
    """

    model_config = ConfigDict(extra="forbid")

    sweepable: ClassVar[bool] = False

    sweep: dict[str, Annotated[tuple[Number, ...], Field(min_length=1, max_length=10_000)]] = {}

    @model_validator(mode="after")
    def _loops_can_be_whole(self) -> "ExperimentConfig":
        if self.whole_loops and self.experiment in WITHOUT_WHOLE_LOOPS:
            why = f"is not taken by {self.experiment}, whose programs XLA cannot compile so: leave it out."
            raise refusal([Problem(("whole_loops",), why)])
        return self

    @model_validator(mode="after")
    def _sweep_names_numbers(self) -> "ExperimentConfig":
        if not self.sweep:
            return self
        resolved = {**self.resolved(), "sweep": {}}
        wrong = [Problem(("sweep", path), why) for path in self.sweep if (why := sweep.obstacle(resolved, path))]
        lanes = math.prod(map(len, self.sweep.values()))
        if lanes > MOST_LANES:
            wrong = [Problem(("sweep",), f"has {lanes:,} combinations; it must have at most {MOST_LANES:,}.")]
        if not self.sweepable:
            wrong = [Problem(("sweep",), f"is not taken by {self.experiment}: leave it out. Allowed: no sweep.")]
        if wrong:
            raise refusal(wrong)
        return self

    def resolved(self) -> dict[str, Any]:
        """The config with all defaults, as JSON holds it; reading that back gives an equal config.

        Without `whole_loops` unless it is true: results from before that field was added keep their config's name.
        """
        return self.model_dump(mode="json", exclude=None if self.whole_loops else {"whole_loops"})


Part = TypeVar("Part", bound=ConfigPart)


def refusal(wrong: list[Problem]) -> ValidationError:
    """The error by which a validator reports problems of its own at places inside its value."""
    details: list[InitErrorDetails] = [
        {"type": PydanticCustomError(SENTENCE, "{sentence}", {"sentence": sentence}), "loc": location, "input": None}
        for location, sentence in wrong
    ]
    return ValidationError.from_exception_data("config", details)


def load(model: type[Part], document: Document) -> Part:
    """Check a document.

    Args:
        model: what it must be.
        document: what was read.

    Returns:
        The config.

    Raises:
        ConfigError: it is something else; a line for every problem, with file and line, field, what came, what is
            allowed, and the nearest right name.
    """
    config = _checked(model, document.data, document)
    if isinstance(config, ExperimentConfig):
        for path, values in config.sweep.items():
            # Ranges are intervals: where the smallest and the largest value are allowed, all are.
            for value in {min(values), max(values)}:
                data = sweep.with_number({**config.resolved(), "sweep": {}}, path, value)
                _checked(model, data, document, ("sweep", path, values.index(value)))
    return config


def _checked(model: type[Part], data: dict[str, Any], document: Document, swept: Location = ()) -> Part:
    try:
        return model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        wrong = problems(model, data, error)
    if swept:
        wrong = [Problem(swept, wrong[0].sentence)]
    lines = [f"{document.place(problem.location)}: {problem}" for problem in wrong[:MOST_TOLD]]
    lines += [f"... and {len(wrong) - MOST_TOLD} more."] if len(wrong) > MOST_TOLD else []
    raise ConfigError("\n".join(lines))
