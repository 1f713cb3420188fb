"""Several objectives at once: who dominates whom, and who stands alone."""

import numpy as np


def dominates(objectives: np.ndarray) -> np.ndarray:
    """Whether one point is nowhere worse than another and somewhere better.

    Args:
        objectives: `[points, objectives]`, smaller is better.

    Returns:
        `[points, points]`: whether the first dominates the second.
    """
    one, other = objectives[:, None], objectives[None]
    return np.logical_and((one <= other).all(-1), (one < other).any(-1))


def fronts(objectives: np.ndarray) -> list[np.ndarray]:
    """Points in layers: the first is dominated by none, each next one by the layers before it alone.

    Args:
        objectives: `[points, objectives]`, smaller is better.

    Returns:
        Indices of the points of each layer, in order.
    """
    above = dominates(objectives)
    left, layers = np.arange(len(objectives)), []
    while len(left):
        free = ~above[np.ix_(left, left)].any(0)
        layers.append(left[free])
        left = left[~free]
    return layers


def crowding(objectives: np.ndarray) -> np.ndarray:
    """How far apart the neighbours of a point are, summed over objectives in units of their range.

    Args:
        objectives: `[points, objectives]` of one front.

    Returns:
        `[points]`, infinite for those at an end; of infinite objectives only the order counts.

    Reference: Deb et al. 2002, IEEE Transactions on Evolutionary Computation 6:182, section III B.
    """
    distance = np.zeros(len(objectives))
    for column in objectives.T:
        order = np.argsort(column, kind="stable")
        values = column[order]
        finite = values[np.isfinite(values)]
        extent = finite[-1] - finite[0] if len(finite) else 0.0
        distance[order[[0, -1]]] = np.inf
        with np.errstate(invalid="ignore"):
            gaps = values[2:] - values[:-2]
        if extent > 0:
            distance[order[1:-1]] += np.nan_to_num(gaps / extent, nan=0.0, posinf=0.0)
    return distance
