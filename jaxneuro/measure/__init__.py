"""Measures of activity, ability and cost."""

from jaxneuro.measure.cost import operations as operations
from jaxneuro.measure.cost import state_numbers as state_numbers
from jaxneuro.measure.dynamics import branch as branch
from jaxneuro.measure.dynamics import draw_phase_plane as draw_phase_plane
from jaxneuro.measure.dynamics import nullclines as nullclines
from jaxneuro.measure.dynamics import phase_plane as phase_plane
from jaxneuro.measure.firing import crossing_times as crossing_times
from jaxneuro.measure.firing import f_i_curve as f_i_curve
from jaxneuro.measure.firing import rate as rate
from jaxneuro.measure.interval import holm as holm
from jaxneuro.measure.interval import mean_interval as mean_interval
from jaxneuro.measure.interval import paired_p_value as paired_p_value
