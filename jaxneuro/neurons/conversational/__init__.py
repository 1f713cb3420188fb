"""Neurons that send each other code: packets of instructions that change the receiver's transition function."""

from jaxneuro.neurons.conversational.conversation import Conversation as Conversation
from jaxneuro.neurons.conversational.conversation import Heard as Heard
from jaxneuro.neurons.conversational.genome import Condition as Condition
from jaxneuro.neurons.conversational.genome import PacketGenome as PacketGenome
from jaxneuro.neurons.conversational.inbox import Inbox as Inbox
from jaxneuro.neurons.conversational.inbox import Mail as Mail
from jaxneuro.neurons.conversational.instructions import INSTRUCTIONS as INSTRUCTIONS
from jaxneuro.neurons.conversational.instructions import Receiver as Receiver
from jaxneuro.neurons.conversational.instructions import execute as execute
from jaxneuro.neurons.conversational.packet import Packet as Packet
from jaxneuro.neurons.conversational.packet import choose as choose
from jaxneuro.neurons.conversational.plastic_neuron import Experience as Experience
from jaxneuro.neurons.conversational.plastic_neuron import PlasticNeuron as PlasticNeuron
