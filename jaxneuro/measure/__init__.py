"""Measures of activity, ability and cost."""

from jaxneuro.measure.firing import rate as rate
