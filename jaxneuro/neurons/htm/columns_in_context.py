"""What a memory of minicolumns with several kinds of dendrites is told in a step."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, UInt32


class ColumnsInContext(eqx.Module):
    """Active minicolumns, and what the dendrites of their cells see. Sets of cells are bits of words, see `bits.pack`.

    Attributes:
        active: numbers of the minicolumns, ascending, filled up with numbers that are no column.
        apical: active apical inputs.
        apical_candidates: of these the ones that new synapses may come from, ascending, filled up.
        basal: active basal inputs; None in the sequence form.
        basal_candidates: of these the ones that new synapses may come from, ascending, filled up; None in the sequence
            form.
        learn: whether segments change.
        reset: whether a new sequence begins.
    """

    active: Int[Array, "*time active"]
    apical: UInt32[Array, "*time apical_words"]
    apical_candidates: Int[Array, "*time apical_candidates"]
    basal: UInt32[Array, "*time basal_words"] | None
    basal_candidates: Int[Array, "*time basal_candidates"] | None
    learn: Bool[Array, "*time"]
    reset: Bool[Array, "*time"]

    def __init__(
        self,
        active: Int[Array, "*time active"],
        apical: UInt32[Array, "*time apical_words"],
        apical_candidates: Int[Array, "*time apical_candidates"],
        basal: UInt32[Array, "*time basal_words"] | None = None,
        basal_candidates: Int[Array, "*time basal_candidates"] | None = None,
        *,
        learn: bool | Array = True,
        reset: bool | Array = False,
    ) -> None:
        """One step, or with a leading axis of time many; one `learn` and one `reset` for all of them is enough."""
        self.active, self.apical, self.apical_candidates = active, apical, apical_candidates
        self.basal, self.basal_candidates = basal, basal_candidates
        self.learn = jnp.broadcast_to(jnp.asarray(learn), active.shape[:-1])
        self.reset = jnp.broadcast_to(jnp.asarray(reset), active.shape[:-1])
