"""Figures of a search: all its candidates beside the front, and what goes on inside a cell."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxneuro.launch.figures import COLOURS, FAINT, Panel

PALEST, SHADE, VECTORS = 0.9, 0.45, 1000  # greys of candidates; more points than this are drawn as an image
LETTERS = 700.0  # room for the letters above the time steps, in units of their size


def pareto_front(
    losses: np.ndarray,
    costs: np.ndarray,
    on_front: np.ndarray,
    labels: Sequence[str],
    label: str,
    cost: str,
    rungs: np.ndarray | None = None,
    title: str = "",
) -> Panel:
    """A point per candidate, and the front that none of them dominates as stairs with its points labelled.

    Losses far above the front are drawn at the upper edge as triangles.

    Args:
        losses: `[candidates]`; what is not finite is left out.
        costs: `[candidates]`.
        on_front: which candidates are the front, in order of cost.
        labels: what to write at each of them; nothing where empty.
        label: what the losses are, with their unit.
        cost: what the costs are, with their unit.
        rungs: for how many rungs each candidate was trained, `[candidates]`; the fewer, the paler.
        title: of the panel.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        finite = np.isfinite(losses)
        ceiling = _ceiling(losses[finite], losses[on_front])
        heights = np.minimum(losses, ceiling)
        reached = np.ones(len(losses), int) if rungs is None else rungs
        most = int(reached.max(initial=1))
        for rung in np.unique(reached[finite]).tolist():
            name = "" if rungs is None else f"{rung} rung{'s' * (rung > 1)}"
            shade = PALEST + (SHADE - PALEST) * rung / most
            for above, marker in ((False, "o"), (True, "^")):
                which = finite & (reached == rung) & ((losses > ceiling) == above)
                axes.scatter(
                    costs[which],
                    heights[which],
                    s=12,
                    marker=marker,
                    color=str(shade),
                    linewidths=0,
                    label="" if above else name,
                    rasterized=which.sum() > VECTORS,
                )
        axes.plot(costs[on_front], losses[on_front], color=COLOURS[1], drawstyle="steps-post", linewidth=1.2)
        axes.scatter(costs[on_front], losses[on_front], s=22, color=COLOURS[1], zorder=3, label="front")
        axes.margins(0.08)
        low, high = axes.get_ylim()
        axes.set_ylim(low - 0.1 * (high - low), high)  # room for labels
        axes.set(xlabel=cost, ylabel=label, title=title)
        _label_points(axes, np.stack([costs[on_front], losses[on_front]], 1), labels)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))

    return draw


def _ceiling(losses: np.ndarray, front: np.ndarray) -> float:
    """The height up to which losses are drawn to scale: nine of ten, and all of the front."""
    if not len(losses):
        return 1.0
    return float(max(np.quantile(losses, 0.9), *front))


def _label_points(axes: Any, points: np.ndarray, labels: Sequence[str]) -> None:
    """Write beside each point, below and to the left if may be, as there a front leaves room; nothing overlaps."""
    places = axes.transData.transform(points) * 72 / axes.figure.dpi
    box = np.asarray(axes.bbox.get_points()) * 72 / axes.figure.dpi
    taken = list(places)
    for point, place, text in zip(points, places, labels, strict=True):
        if not text:
            continue
        away = next((away for away in AROUND if _is_free(place + away, box, taken)), AROUND[0])
        taken.append(place + away)
        axes.annotate(
            text,
            point,
            xytext=away,
            textcoords="offset points",
            ha="center",
            va="center",
            color=COLOURS[1],
            fontsize=8,
            bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.5},
            arrowprops={"arrowstyle": "-", "color": COLOURS[1], "linewidth": 0.4},
        )


def _is_free(middle: np.ndarray, box: np.ndarray, taken: Sequence[np.ndarray]) -> bool:
    """Whether a label has room in the axes and is off all points and labels."""
    inside = np.all(middle > box[0] + 6) and np.all(middle < box[1] - 6)
    return bool(inside) and all(np.abs(middle - other).max() >= 10 for other in taken)


def _around() -> list[np.ndarray]:
    """Where a label may stand beside its point, in points of type: the nearest first."""
    angles = np.radians(225 + np.array([0, -25, 25, -50, 50, -90, 90, 180]))
    return [far * np.array([np.cos(angle), np.sin(angle)]) for far in np.arange(11.0, 120.0, 6.0) for angle in angles]


AROUND = _around()


def gates_over_time(
    values: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    labels: Mapping[str, str] | None = None,
    steps: Sequence[str] | None = None,
    title: str = "",
) -> Panel:
    """A row for every wire of a cell while it reads a sequence: time to the right, one line of colour per unit.

    What stays between 0 and 1, as a gate does, is drawn from white at 0 to dark at 1; everything else from blue through
    white at 0 to red, each row on its own scale, which is written beside it.

    Args:
        values: for each wire `[time, units]`, in the order of the rows.
        inputs: what the cell reads, `[time, features]`, drawn above the rest without features that are 0 throughout.
        labels: what to write beside a row instead of the name of the wire.
        steps: what to write above each time step, such as a character.
        title: of the panel.
    """
    seen = inputs[:, np.any(inputs != 0, axis=0)]
    rows = {"input": seen if seen.shape[1] else inputs[:, :1], **values}

    def draw(figure: Any) -> None:
        from matplotlib.ticker import MaxNLocator

        parts = np.asarray(figure.subplots(len(rows), 1, squeeze=False)).reshape(-1)
        for axes, (name, row) in zip(parts, rows.items(), strict=True):
            low, high, colours, scale = _scale(row)
            axes.imshow(row.T, cmap=colours, vmin=low, vmax=high, aspect="auto", interpolation="none")
            axes.set(xticks=[], yticks=[])
            text = (labels or {}).get(name, name)
            axes.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=8, family="monospace")
            axes.text(1.01, 0.5, scale, transform=axes.transAxes, va="center", fontsize=7, color=FAINT)
            for spine in axes.spines.values():
                spine.set(visible=True, linewidth=0.5, color=FAINT)
        parts[0].set_title(title)
        if steps is not None:
            parts[0].xaxis.set_ticks_position("top")
            size = min(8.0, LETTERS / len(steps))
            parts[0].set_xticks(range(len(steps)), steps, fontsize=size, family="monospace")
            parts[0].tick_params(axis="x", length=0, pad=1)
        else:
            parts[-1].xaxis.set_major_locator(MaxNLocator(8, integer=True))
        parts[-1].set_xlabel("time step")

    return draw


def _scale(values: np.ndarray) -> tuple[float, float, str, str]:
    """The least and the greatest value of a row's scale, its colours, and what to write."""
    if values.min() >= 0 and values.max() <= 1:
        return 0.0, 1.0, "Greys", "0 to 1"
    most = float(np.abs(values).max())
    return -most, most, "RdBu_r", f"±{most:.2g}"
