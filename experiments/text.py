"""Character by character: how well does each kind of neuron predict the next letter of real text?

The text is Python's own help pages, or a file that the user names; its last tenth is held out. The score is bits per
character on the held-out part, beside two floors: a model that knows how frequent each character is (unigram), and one
that also knows the character before (bigram).
"""

import functools
import math
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import figures
from jaxneuro.launch.config import Count, ExperimentConfig, Fraction, Positive
from jaxneuro.launch.directory import Run
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.launch.network import Network
from jaxneuro.launch.report import Section
from jaxneuro.learning import train
from jaxneuro.learning.optimizer import cosine_adam
from jaxneuro.tasks import data, text

STREAMS = 16


class Config(ExperimentConfig):
    """See configs/text.yaml."""

    path: str | None = Field(default=None, description="a UTF-8 text file; Python's help pages unless given")
    held_out: Fraction = 0.1
    steps: Count = 2500
    chunk: Count = 100
    batch: Count = Field(default=32, le=4096)
    length: Count = Field(default=128, le=100_000)
    clip: Positive = 1.0
    trained: tuple[str, ...] = ("weights", "bias", "input_weights", "recurrent_weights")
    networks: tuple[Network, ...] = Field(min_length=1)


def bits(
    symbols: int, machine: jn.StateMachine, windows: Int[Array, "batch window"], key: PRNGKeyArray
) -> Float[Array, ""]:
    """Mean cross-entropy of the next character (bits), from a state of rest."""

    def one(window: Int[Array, "window"]) -> Float[Array, ""]:
        _, logits = jn.run(machine, text.one_hot(window[:-1], symbols))
        return optax.softmax_cross_entropy_with_integer_labels(logits, window[1:]).mean()

    return jax.vmap(one)(windows).mean() / math.log(2)


def sample(
    batch: int, length: int, codes: Int[Array, "characters"], key: PRNGKeyArray, step: Int[Array, ""]
) -> Int[Array, "batch window"]:
    """The batch of a training step."""
    return text.windows(codes, key, step, batch, length)


def main(config: Config, run: Run) -> dict[str, Any]:
    """Train every network, score it on the held-out text."""
    source = data.topics() if config.path is None else data.read_text(config.path)
    codes, alphabet = text.encode(source.text)
    cut = round(len(codes) * (1 - config.held_out))
    known, unknown = codes[:cut], codes[cut:]
    floors = {
        "unigram": text.unigram_bits(known, unknown, len(alphabet)),
        "bigram": text.bigram_bits(known, unknown, len(alphabet)),
    }
    training, streams = jnp.asarray(known), jnp.asarray(text.streams(unknown, STREAMS))
    loss = functools.partial(bits, len(alphabet))
    draw = functools.partial(sample, config.batch, config.length)
    score = jax.jit(loss)
    rows, arrays = [], {}
    for network in config.networks:
        began = time.monotonic()
        optimizer = cosine_adam(network.learning_rate, config.steps, network.weight_decay)

        def begin(key: PRNGKeyArray, network: Network = network, optimizer: Any = optimizer) -> train.TrainState:
            weight_key, train_key = jax.random.split(key)
            machine = network.build(len(alphabet), len(alphabet), key=weight_key)
            return train.start(machine, optimizer, train_key, config.trained)

        def advance(state: train.TrainState, steps: int, optimizer: Any = optimizer) -> tuple[train.TrainState, Any]:
            state, metrics = train.advance(
                state,
                training,
                steps,
                loss=loss,
                sample=draw,
                optimizer=optimizer,
                trained=config.trained,
                clip=config.clip,
            )
            return state, metrics | {"held_out_bits": score(state.machine, streams, state.key)[None]}

        state = jax.jit(begin)(jax.random.key(config.seed))
        state, history = train_in_chunks(run, network.name, advance, state, steps=config.steps, chunk=config.chunk)
        rows.append(
            {
                "network": network.name,
                "neuron": network.neuron.kind,
                "parameters": train.count_trained(state.machine, config.trained),
                "bits_per_character": float(score(state.machine, streams, state.key)),
                "seconds": round(time.monotonic() - began, 1),
            }
        )
        arrays |= {f"{network.name}/{name}": history[name] for name in ("step", "loss", "held_out_bits")}
    run.save_arrays(arrays)
    return {"data": source.provenance, "symbols": len(alphabet), "floors": floors, "networks": rows}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report: scores beside the floors, and how they came down."""
    rows = results["networks"]
    table = [
        [
            row["network"],
            row["neuron"],
            f"{row['bits_per_character']:.3f}",
            f"{row['parameters']:,}",
            f"{row['seconds']:.0f}",
        ]
        for row in rows
    ]
    table += [[name, "counting", f"{value:.3f}", "", ""] for name, value in results["floors"].items()]
    curves = {row["network"]: arrays[f"{row['network']}/held_out_bits"][None] for row in rows}
    return [
        Section(
            title="Bits per character on held-out text",
            text=f"{results['data']}; the last {100 * config.held_out:g} % is held out. Lower is better.",
            columns=["network", "neuron", "bits per character", "trained parameters", "seconds"],
            rows=table,
        ),
        Section(
            title="Learning curves",
            text="Bits per character on the held-out text after so many training steps.",
            figure=figures.svg(
                figures.learning_curves(
                    curves, arrays[f"{rows[0]['network']}/step"], "bits per character", results["floors"]
                )
            ),
        ),
    ]
