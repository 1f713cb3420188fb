"""Cables and membranes in Jaxley."""

from collections.abc import Callable

Call = Callable[[], object]


def jaxley_cable(compartments: int, steps: int) -> dict[str, Call]:
    """A squid axon in Jaxley: forward, gradient with respect to the sodium conductance, and the first of each.

    The call "peak" answers with the largest voltage of the last compartment instead of a time.
    """
    import jax
    import jaxley  # pyright: ignore[reportMissingImports]
    from jaxley.channels import HH  # pyright: ignore[reportMissingImports]

    branch = jaxley.Branch(jaxley.Compartment(), ncomp=compartments)
    cell = jaxley.Cell(branch, parents=[-1])
    for name, value in {"length": 10.0, "radius": 0.5, "axial_resistivity": 100.0, "capacitance": 1.0}.items():
        cell.set(name, value)
    cell.insert(HH())
    cell.set("v", -65.0)
    cell.init_states()
    current = jaxley.step_current(i_delay=0.0, i_dur=5.0, i_amp=0.1, delta_t=0.025, t_max=0.025 * steps)
    cell.branch(0).comp(0).stimulate(current)
    cell.branch(0).comp(compartments - 1).record()
    cell.make_trainable("HH_gNa")
    parameters = cell.get_parameters()

    def forward(parameters: object) -> jax.Array:
        return jaxley.integrate(cell, params=parameters, delta_t=0.025)

    def mean(parameters: object) -> jax.Array:
        return forward(parameters).mean()

    programs = {"forward": forward, "gradient": jax.value_and_grad(mean)}
    compiled = {name: jax.jit(program) for name, program in programs.items()}

    def first(name: str) -> object:
        jax.clear_caches()
        return jax.block_until_ready(jax.jit(programs[name])(parameters))

    return {
        "forward": lambda: jax.block_until_ready(compiled["forward"](parameters)),
        "gradient": lambda: jax.block_until_ready(compiled["gradient"](parameters)),
        "forward first": lambda: first("forward"),
        "gradient first": lambda: first("gradient"),
        "peak": lambda: float(forward(parameters).max()),
    }


def jaxley_fit(steps: int) -> dict[str, Call]:
    """A squid membrane in Jaxley: the gradient, by three conductances, of its distance to the voltage of another.

    The call "value" answers with the squared distance.
    """
    import math

    import jax
    import jax.numpy as jnp
    import jaxley  # pyright: ignore[reportMissingImports]
    from jaxley.channels import HH  # pyright: ignore[reportMissingImports]

    cell = jaxley.Cell(jaxley.Branch(jaxley.Compartment(), ncomp=1), parents=[-1])
    for name, value in {"length": 10.0, "radius": 5.0, "capacitance": 1.0}.items():
        cell.set(name, value)
    cell.insert(HH())
    cell.set("v", -65.0)
    cell.set("HH_eLeak", -54.387)
    cell.init_states()
    current_na = 1e-5 * 10.0 * 2 * math.pi * 5.0 * 10.0  # 10 uA/cm2 on the membrane of the cylinder
    cell.stimulate(jnp.full(steps, current_na))
    cell.record()
    for name in ("HH_gNa", "HH_gK", "HH_gLeak"):
        cell.make_trainable(name)

    def trace(parameters: object) -> jax.Array:
        return jaxley.integrate(cell, params=parameters, delta_t=0.025)[0]

    start = cell.get_parameters()
    target = jax.jit(trace)(jax.tree.map(lambda conductance: 0.9 * conductance, start))
    gradient = jax.jit(jax.value_and_grad(lambda parameters: ((trace(parameters) - target) ** 2).mean()))
    return {
        "run": lambda: jax.block_until_ready(gradient(start)),
        "value": lambda: float(gradient(start)[0]),
    }
