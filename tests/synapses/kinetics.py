"""What a linear synapse must put out: the sum of its response over the spikes that came before."""

import numpy as np

DT = 0.3
SPIKES = np.random.default_rng(5).poisson(0.1, 200) * np.random.default_rng(6).normal(size=200)


def summed(response, spikes=SPIKES, dt=DT):
    """`y_n = sum(x_m k((n - m) dt))` over the spikes m up to n, spike by spike."""
    out = np.zeros(len(spikes))
    for at in np.flatnonzero(spikes):
        for now in range(at, len(spikes)):
            out[now] += spikes[at] * response((now - at) * dt)
    return out
