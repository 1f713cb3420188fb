"""The kinds of number that configs are made of, each with its range in its type.

A field may narrow a range, `seeds: Count = Field(default=3, le=100)`: both bounds then hold. (With two bounds of the
same kind pydantic itself would drop the field's.)
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

Real = int | float  # checked at run time, where an int is no float

# A number that float32 takes for zero.
SMALLEST = 1.2e-38


@dataclass(frozen=True)
class Within:
    """Bounds of a number, for `Annotated`; they hold beside those of the field. `unit` is for messages."""

    above: Real | None = None
    at_least: Real | None = None
    at_most: Real | None = None
    below: Real | None = None
    unit: str = ""

    def check(self, value: Real) -> Real:
        """The value, if it is within the bounds."""
        size = 0 if abs(value) < SMALLEST else value
        if self.above is not None and size <= self.above:
            raise PydanticKnownError("greater_than", {"gt": self.above})
        if self.at_least is not None and value < self.at_least:
            raise PydanticKnownError("greater_than_equal", {"ge": self.at_least})
        if self.at_most is not None and value > self.at_most:
            raise PydanticKnownError("less_than_equal", {"le": self.at_most})
        if self.below is not None and value >= self.below:
            raise PydanticKnownError("less_than", {"lt": self.below})
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler(schema)
        for name, bound in {"exclusiveMinimum": self.above, "minimum": self.at_least}.items():
            if bound is not None:
                described[name] = max(described.get(name, bound), bound)
        for name, bound in {"maximum": self.at_most, "exclusiveMaximum": self.below}.items():
            if bound is not None:
                described[name] = min(described.get(name, bound), bound)
        return {**described, "unit": self.unit} if self.unit else described


LARGEST = 1e18  # its square is still a float32
LARGEST_INTEGER = 2**31 - 1  # JAX counts steps in int32

Number = Annotated[float, Within(at_least=-LARGEST, at_most=LARGEST)]
Positive = Annotated[float, Within(above=0, at_most=LARGEST)]
NonNegative = Annotated[float, Within(at_least=0, at_most=LARGEST)]
Fraction = Annotated[float, Within(at_least=0, at_most=1)]
Share = Annotated[float, Within(above=0, below=1)]
LearningRate = Annotated[float, Within(above=0, at_most=100)]
Count = Annotated[int, Within(at_least=1, at_most=LARGEST_INTEGER)]
Whole = Annotated[int, Within(at_least=0, at_most=LARGEST_INTEGER)]
Seed = Annotated[int, Within(at_least=0, at_most=2**32 - 1)]
Seeds = Annotated[int, Within(at_least=1, at_most=10_000)]
Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]+$", max_length=64, json_schema_extra={"summary": "1 to 64 letters, digits, - and _"}
    ),
]
