"""Neurons by name: `{kind: LIF, tau_ms: 20}` in a config becomes a machine.

A kind is a public class of jaxneuro. Its arguments are those of its own constructor, with the ranges and the units that
the class declares; the random key and whatever the experiment supplies (such as the number of inputs) are not in the
config. Nothing is looked up but the public names, and nothing is called but the constructor of the class.
"""

import dataclasses
import functools
import inspect
import json
import types
import typing
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

import equinox as eqx
import jax
from jaxtyping import PRNGKeyArray
from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, create_model
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

import jaxneuro
from jaxneuro import conversion
from jaxneuro.launch.advice import ConfigError, shown, unknown
from jaxneuro.launch.config import ConfigPart, refusal
from jaxneuro.launch.explain import Problem, problems
from jaxneuro.launch.limits import LARGEST, Within
from jaxneuro.machine import Bounds, StateMachine

# Where public classes are; a name means the same class in all of them.
ROOMS = (
    jaxneuro,
    jaxneuro.spiking,
    jaxneuro.gated,
    jaxneuro.htm,
    jaxneuro.complex,
    jaxneuro.linear,
    jaxneuro.dendritic,
    jaxneuro.conversational,
    jaxneuro.synapses,
    jaxneuro.networks,
    jaxneuro.search,
    conversion,
    jaxneuro.tasks,
)
LARGEST_SIZE = 1_000_000


@dataclasses.dataclass(frozen=True)
class MachineSpec:
    """A machine as a config describes it: a kind, and the arguments of its constructor, defaults included."""

    kind: str
    arguments: tuple[tuple[str, Any], ...] = ()

    def resolved(self) -> dict[str, Any]:
        """As the config writes it."""
        plain = {name: part.resolved() if isinstance(part, MachineSpec) else part for name, part in self.arguments}
        return {"kind": self.kind, **plain}

    def with_argument(self, name: str, change: Callable[[Any], Any]) -> "MachineSpec":
        """The same with one argument changed."""
        changed = [(known, change(part) if known == name else part) for known, part in self.arguments]
        return dataclasses.replace(self, arguments=tuple(changed))

    @property
    def machine_class(self) -> type[Any]:
        """The class that the kind names."""
        return public(eqx.Module)[self.kind]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return Kind().__get_pydantic_core_schema__(source, handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return Kind().__get_pydantic_json_schema__(schema, handler)


@dataclasses.dataclass(frozen=True)
class Kind:
    """Narrows a machine spec: `Annotated[MachineSpec, Kind(supplied=("inputs", "units"))]`.

    Attributes:
        base: the class that the machine must be a kind of.
        supplied: the arguments that the experiment supplies, and a config may not; None if that is not known, then
            whatever is missing is missed when the machine is built.
    """

    base: type[Any] = StateMachine
    supplied: tuple[str, ...] | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            functools.partial(parse, rule=self),
            serialization=core_schema.plain_serializer_function_ser_schema(MachineSpec.resolved),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        summary = f"a mapping such as {{kind: {kinds(self)[0]}}}, its kind one of {', '.join(kinds(self))}"
        return {"type": "object", "summary": summary}


@functools.cache
def public(base: type[Any]) -> dict[str, type[Any]]:
    """The public classes of jaxneuro and its wings that are kinds of `base` and not abstract, by name."""
    found = {name: part for room in ROOMS for name, part in vars(room).items() if not name.startswith("_")}
    classes = {name: kind for name, kind in found.items() if inspect.isclass(kind) and issubclass(kind, base)}
    return {
        name: classes[name]
        for name in sorted(classes)
        if not (classes[name] is base or inspect.isabstract(classes[name]))
    }


@functools.cache
def kinds(rule: Kind) -> tuple[str, ...]:
    """The names that `kind` may have: public classes with arguments that a config can give."""
    return tuple(name for name, kind in public(rule.base).items() if _configurable(kind, rule.supplied))


def parse(value: Any, rule: Kind) -> MachineSpec:
    """Check a machine spec.

    Args:
        value: the mapping of the config.
        rule: what kinds are allowed.

    Returns:
        The spec, complete with defaults.

    Raises:
        ValidationError: with a sentence for every problem.
    """
    if isinstance(value, MachineSpec):
        value = value.resolved()
    known = kinds(rule)
    if not isinstance(value, dict):
        tip = f" Write {{kind: {value}}}." if isinstance(value, str) and value in known else ""
        raise refusal([Problem((), f"is {shown(value)}; it must be a mapping such as {{kind: {known[0]}}}.{tip}")])
    if "kind" not in value:
        raise refusal([Problem(("kind",), f"is missing; it must be one of {', '.join(known)}.")])
    kind, given = value["kind"], {name: part for name, part in value.items() if name != "kind"}
    if kind not in known:
        raise refusal([Problem(("kind",), f"{shown(kind)} {unknown(str(kind), known, 'kind')}")])
    machine = public(rule.base)[kind]
    if taken := [name for name in given if name in (*(rule.supplied or ()), "key")]:
        raise refusal([Problem((name,), "is set by the experiment; leave it out.") for name in taken])
    model, open_ended = _arguments(machine, rule.supplied)
    try:
        checked = model.model_validate_json(json.dumps(given))
    except ValidationError as error:
        raise refusal(problems(model, given, error)) from error
    names = [name for name in model.model_fields if name in checked.model_fields_set or name not in open_ended]
    spec = MachineSpec(kind, tuple((name, getattr(checked, name)) for name in names))
    _try(spec)
    return spec


def build(spec: MachineSpec, *, key: PRNGKeyArray | None = None, **supplied: Any) -> Any:
    """Make the machine.

    Args:
        spec: what the config says.
        key: for weights that are drawn; needed if the class, or one inside it, takes one.
        supplied: the arguments that the experiment adds.

    Returns:
        The machine.

    Raises:
        ConfigError: an argument is missing, comes twice or is refused by the class.
    """
    given = dict(spec.arguments)
    if twice := given.keys() & supplied.keys():
        raise ConfigError(f"{spec.kind}: {min(twice)} is set by the experiment; leave it out of the config.")
    if missing := _missing(spec, supplied):
        raise ConfigError(f"{spec.kind}: {missing[0]} is missing in the config.")
    for index, (name, part) in enumerate(spec.arguments):
        if isinstance(part, MachineSpec):
            # A layer inside a layer has the neurons of the outer one for its inputs, and as many neurons.
            sizes = {
                size: supplied["units"] for size in _missing(part) if size in ("inputs", "units") and size in supplied
            }
            given[name] = build(part, key=None if key is None else jax.random.fold_in(key, index), **sizes)
    if "key" in inspect.signature(spec.machine_class).parameters:
        if key is None:
            raise ValueError(f"build({spec.kind}) needs a key: its weights are drawn.")
        given["key"] = key
    try:
        return spec.machine_class(**given, **supplied)
    except ValueError as error:
        said = str(error)
        raise ConfigError(said if said.startswith(spec.kind) else f"{spec.kind}: {said}") from error


def _missing(spec: MachineSpec, supplied: Iterable[str] = ()) -> list[str]:
    """The required arguments that nobody gives."""
    parameters = inspect.signature(spec.machine_class).parameters.values()
    given = {*dict(spec.arguments), *supplied, "key"}
    return [p.name for p in parameters if p.default is p.empty and p.name not in given]


@functools.lru_cache(maxsize=256)
def _try(spec: MachineSpec) -> None:
    """Build a complete machine without computing any number, for what only its constructor knows."""
    if _missing(spec) or any(_missing(part) for _, part in spec.arguments if isinstance(part, MachineSpec)):
        return
    if (error := _refusal(spec)) is None:
        return
    # The message names arguments; to blame is the one that, set to 1, is accepted.
    told = [name for name, part in spec.arguments if f"{name}={part}" in str(error)]
    guilty = [name for name in told if _refusal(spec.with_argument(name, lambda _: 1)) is None]
    raise refusal([Problem(tuple(guilty[:1]), f"is refused: {error}")]) from error


def _refusal(spec: MachineSpec) -> ConfigError | None:
    key = jax.eval_shape(lambda: jax.random.key(0))
    try:
        jax.eval_shape(lambda key: build(spec, key=key), key)
    except ConfigError as error:
        return error
    return None


def _configurable(machine: type[Any], supplied: tuple[str, ...] | None) -> bool:
    fields = {field.name: field for field in dataclasses.fields(machine)}
    for parameter in inspect.signature(machine).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            return False
        given = supplied is None or parameter.name in (*supplied, "key")
        if parameter.default is parameter.empty and not given and _allowed(parameter, fields) is None:
            return False
    return True


@functools.cache
def _arguments(machine: type[Any], supplied: tuple[str, ...] | None) -> tuple[type[ConfigPart], frozenset[str]]:
    """The arguments of a class as a pydantic model, and those of them that need not be given and have no default."""
    fields = {field.name: field for field in dataclasses.fields(machine)}
    found: dict[str, Any] = {}
    open_ended = set()
    for name, parameter in inspect.signature(machine).parameters.items():
        allowed = _allowed(parameter, fields)
        if name in (*(supplied or ()), "key") or allowed is None:
            continue
        default = _default(parameter, fields)
        if default is not ...:
            found[name] = (allowed, default)
        elif parameter.default is parameter.empty and supplied is not None:
            found[name] = (allowed, ...)
        else:
            found[name] = (allowed, None)
            open_ended.add(name)
    return create_model(machine.__name__, __base__=ConfigPart, **found), frozenset(open_ended)


def _default(parameter: inspect.Parameter, fields: dict[str, dataclasses.Field[Any]]) -> Any:
    """The default as a config would write it; `...` if there is none, or none that it could write."""
    default, field = parameter.default, fields.get(parameter.name)
    if default is None or isinstance(default, bool | int | float | str):
        return default
    factory = field.default_factory if field is not None else None
    if inspect.isclass(factory) and public(eqx.Module).get(factory.__name__) is factory:
        return parse({"kind": factory.__name__}, Kind(factory.__mro__[1]))
    return ...


def _allowed(parameter: inspect.Parameter, fields: dict[str, dataclasses.Field[Any]]) -> Any:
    """What a config may give for an argument, as a type for pydantic; None if nothing."""
    annotation, field = parameter.annotation, fields.get(parameter.name)
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    options = typing.get_args(annotation) if union else (annotation,)
    bounds: Bounds | None = field.metadata.get("parameter") if field else None
    if bounds and parameter.default is parameter.empty and _has_axes(field):
        return None
    chosen: Any = None
    if bool in options or isinstance(parameter.default, bool):
        chosen = bool
    elif int in options and float not in options:
        chosen = Annotated[int, Within(at_least=0, at_most=LARGEST_SIZE)]
    elif bounds or float in options or isinstance(parameter.default, float):
        chosen = Annotated[float, _range(bounds or Bounds())]
    elif str in options or any(typing.get_origin(option) is Literal for option in options):
        return annotation
    elif texts := [option for option in options if typing.get_origin(option) is Annotated]:
        chosen = Annotated[typing.get_args(texts[0])[0], *map(_understood, typing.get_args(texts[0])[1:])]
    else:
        for option in options:
            base = typing.get_origin(option) or option
            if inspect.isclass(base) and issubclass(base, eqx.Module) and kinds(Kind(base)):
                chosen = Annotated[MachineSpec, Kind(base)]
    return chosen | None if chosen is not None and type(None) in options else chosen


def _has_axes(field: dataclasses.Field[Any] | None) -> bool:
    """Whether a field is an array of named axes, for which no number can stand."""
    declared = () if field is None else typing.get_args(field.type) or (field.type,)
    return any(getattr(option, "dim_str", "") not in ("", "...") for option in declared)


def _understood(reading: Callable[[Any], Any]) -> AfterValidator:
    """What an argument annotated with a function must be: anything that the function takes without a `ValueError`."""
    return AfterValidator(lambda value: (reading(value), value)[1])


def _range(bounds: Bounds) -> Within:
    lowest = bounds.at_least if bounds.above is not None or bounds.at_least is not None else -LARGEST
    highest = LARGEST if bounds.at_most is None else bounds.at_most
    return Within(above=bounds.above, at_least=lowest, at_most=highest, unit=bounds.unit)
