"""Differentiable neuroscience in JAX: a neuron is a state machine."""

from jaxneuro import measure as measure
from jaxneuro import search as search
from jaxneuro import tasks as tasks
from jaxneuro.compose import Chain as Chain
from jaxneuro.compose import Delay as Delay
from jaxneuro.compose import Feedback as Feedback
from jaxneuro.compose import Population as Population
from jaxneuro.compose import Rewritable as Rewritable
from jaxneuro.compose import Rewrite as Rewrite
from jaxneuro.compose import stack as stack
from jaxneuro.flow import Euler as Euler
from jaxneuro.flow import Exact as Exact
from jaxneuro.flow import ExponentialEuler as ExponentialEuler
from jaxneuro.flow import Flow as Flow
from jaxneuro.flow import RungeKutta4 as RungeKutta4
from jaxneuro.machine import Affine as Affine
from jaxneuro.machine import Driven as Driven
from jaxneuro.machine import NoState as NoState
from jaxneuro.machine import Stateless as Stateless
from jaxneuro.machine import StateMachine as StateMachine
from jaxneuro.machine import cast as cast
from jaxneuro.machine import count_parameters as count_parameters
from jaxneuro.machine import parameter as parameter
from jaxneuro.neurons import complex as complex
from jaxneuro.neurons import gated as gated
from jaxneuro.neurons import linear as linear
from jaxneuro.neurons.gated.lstm import LSTM as LSTM
from jaxneuro.neurons.similarity.adaline import Adaline as Adaline
from jaxneuro.neurons.similarity.cosine import Cosine as Cosine
from jaxneuro.neurons.similarity.perceptron import Perceptron as Perceptron
from jaxneuro.neurons.similarity.rate import Rate as Rate
from jaxneuro.neurons.spiking.leaky_readout import LeakyReadout as LeakyReadout
from jaxneuro.neurons.spiking.lif import LIF as LIF
from jaxneuro.neurons.spiking.precise_lif import PreciseLIF as PreciseLIF
from jaxneuro.run import run as run
from jaxneuro.surrogate import ArcTangent as ArcTangent
from jaxneuro.surrogate import FastSigmoid as FastSigmoid
from jaxneuro.surrogate import MultiGaussian as MultiGaussian
from jaxneuro.surrogate import StraightThrough as StraightThrough
from jaxneuro.surrogate import Surrogate as Surrogate
from jaxneuro.surrogate import Triangular as Triangular
from jaxneuro.synapses.conv import Conv as Conv
from jaxneuro.synapses.dense import Dense as Dense

__version__ = "0.1.0"
