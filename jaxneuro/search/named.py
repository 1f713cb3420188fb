"""Known cells as genomes: where a search may start, and what it is compared with."""

import difflib

from jaxneuro.search.genome import Genome, Space
from jaxneuro.search.text import parse

_OUTER = """
    i = sigmoid(W x + U h + b)
    f = sigmoid(W x + U h + b from 1)
    {g}
    o = sigmoid(W x + U h + b)
"""
# z n + (1 - z) h
_BLEND = """
    change = {n} - h
    moved = z * change
    hidden = h + moved
    h <- hidden
    output hidden
"""

TEXTS = {
    "RNN": """
        states h
        stage reads h
        hidden = tanh(W x + U h + b)
        h <- hidden
        output hidden
    """,
    "LSTM": f"""
        states c h
        stage reads h
        {_OUTER.format(g="g = tanh(W x + U h + b)")}
        kept = f * c
        written = i * g
        cell = kept + written
        shown = tanh(cell)
        hidden = o * shown
        c <- cell
        h <- hidden
        output hidden
    """,
    # z here is the other way round: h <- z h + (1 - z) n.
    "GRU": """
        states h
        stage reads h
        r = sigmoid(W x + U h + b)
        z = sigmoid(W x + U h + b)
        past = r * h
        stage reads past
        n = tanh(W x + U past + b)
        change = h - n
        moved = z * change
        hidden = n + moved
        h <- hidden
        output hidden
    """,
    "MGU": f"""
        states h
        stage reads h
        z = sigmoid(W x + U h + b)
        past = z * h
        stage reads past
        n = tanh(W x + U past + b)
        {_BLEND.format(n="n")}
    """,
    # The paper's x alone is W x here, so that inputs and units may differ in number; with W = 1 they are the same.
    "MUT1": f"""
        states h
        stage reads h
        z = sigmoid(W x + b)
        r = sigmoid(W x + U h + b)
        seen = tanh(W x)
        past = r * h
        stage reads past
        memory = U past + b
        n = tanh(memory + seen)
        {_BLEND.format(n="n")}
    """,
    "MUT2": f"""
        states h
        stage reads h
        z = sigmoid(W x + U h + b)
        r = sigmoid(W x + U h + b)
        past = r * h
        stage reads past
        n = tanh(W x + U past + b)
        {_BLEND.format(n="n")}
    """,
    "MUT3": f"""
        states h
        stage reads h
        r = sigmoid(W x + U h + b)
        past = r * h
        shown = tanh(h)
        stage reads shown
        z = sigmoid(W x + U shown + b)
        stage reads past
        n = tanh(W x + U past + b)
        {_BLEND.format(n="n")}
    """,
    # Of depth 2: c is the hidden value of the inner LSTM, d its cell.
    "NestedLSTM": f"""
        states h c d
        stage reads h
        {_OUTER.format(g="g = W x + U h + b")}
        seen = i * g
        kept = f * c
        stage reads seen
        i_seen = U seen + b
        f_seen = U seen + b from 1
        o_seen = U seen + b
        g_seen = U seen + b
        stage reads kept
        i_kept = U kept
        f_kept = U kept
        o_kept = U kept
        g_kept = U kept
        i_inner = sigmoid(i_seen + i_kept)
        f_inner = sigmoid(f_seen + f_kept)
        o_inner = sigmoid(o_seen + o_kept)
        g_inner = tanh(g_seen + g_kept)
        d_kept = f_inner * d
        d_written = i_inner * g_inner
        d_new = d_kept + d_written
        d_shown = tanh(d_new)
        cell = o_inner * d_shown
        shown = tanh(cell)
        hidden = o * shown
        h <- hidden
        c <- cell
        d <- d_new
        output hidden
    """,
    "NAS": """
        states c h
        stage reads h
        a1 = sigmoid(W x + U h + b)
        a2 = relu(W x + U h + b)
        a3 = sigmoid(W x + U h + b)
        x4 = W x + b
        u4 = U h
        a5 = tanh(W x + U h + b)
        a6 = sigmoid(W x + U h + b)
        a7 = tanh(W x + U h + b)
        a8 = sigmoid(W x + U h + b)
        l1 = tanh(a1 * a2)
        p4 = relu(x4 * u4)
        l2 = tanh(a3 + p4)
        l3 = tanh(a5 * a6)
        l4 = sigmoid(a7 + a8)
        mixed = tanh(l1 + c)
        cell = mixed * l2
        gate = tanh(l3 + l4)
        hidden = tanh(cell * gate)
        c <- cell
        h <- hidden
        output hidden
    """,
    # With the linear candidate.
    "MinGRU": """
        states h
        stage
        z = sigmoid(W x + b)
        g = W x + b
        kept = (1 - z) * h
        written = z * g
        hidden = kept + written
        h <- hidden
        output hidden
    """,
    # A threshold of 1, a reset to 0 that gradients pass, and a weight from each neuron to each.
    "LIF": """
        states v s
        stage reads s
        drive = W x + U s + b
        decay = sigmoid(b from 4)
        leaked = decay * v
        voltage = leaked + drive
        fired = spike(voltage - 1)
        left = (1 - fired) * voltage
        v <- left
        s <- fired
        output fired
    """,
    # h <- lambda h + B x, y = Re(C h) + D x, with the real and the imaginary parts as two states.
    "ComplexLinear": """
        states re im
        stage
        l_re = sigmoid(b from long)
        l_im = tanh(b)
        b_re = W x
        b_im = W x
        direct = W x
        re_re = l_re * re
        im_im = l_im * im
        re_im = l_re * im
        im_re = l_im * re
        turned_re = re_re - im_im
        turned_im = re_im + im_re
        new_re = turned_re + b_re
        new_im = turned_im + b_im
        stage reads new_re
        c_re = U new_re
        stage reads new_im
        c_im = U new_im
        shown = c_re + c_im
        out = shown + direct
        re <- new_re
        im <- new_im
        output out
    """,
}


def named(name: str, space: Space | None = None) -> Genome:
    """The genome of a known cell.

    Args:
        name: one of `TEXTS`.
        space: the space of the genome; the smallest that holds it unless given.

    Returns:
        The genome.

    Raises:
        ValueError: if there is no such cell, or no room for it.
    """
    if name not in TEXTS:
        raise ValueError(f"There is no genome {name[:100]!r}.{meant(name)} Allowed: {', '.join(TEXTS)}.")
    return parse(TEXTS[name], space)


def meant(name: str) -> str:
    """The question whether the known cell nearest to a wrong name was meant; empty if none is near.

    Args:
        name: the wrong name.
    """
    lowered = {known.lower(): known for known in TEXTS}
    near = difflib.get_close_matches(name[:100].lower(), lowered, 1)
    return f" Did you mean {lowered[near[0]]}?" if near else ""
