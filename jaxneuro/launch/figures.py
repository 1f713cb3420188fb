"""Figures of what neurons do, as SVG text to stand in a page.

A panel is a function that draws on a Matplotlib subfigure; `svg` puts panels side by side. The same numbers give the
same text, byte for byte. Matplotlib is imported when the first figure is drawn.
"""

import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Panel = Callable[[Any], None]

# The colours of Okabe and Ito, which the colour-blind tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
INK, FAINT = "#333333", "#999999"
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "jaxneuro",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
}


def svg(*panels: Panel, columns: int = 1, width: float = 7.2, height: float = 3.0) -> str:
    """Draw panels.

    Args:
        panels: what to draw, row by row.
        columns: how many side by side.
        width: of the whole figure (inches).
        height: of one row (inches).

    Returns:
        An `<svg>` element; it has no ids that another figure in the same page could have too.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    rows = -(-len(panels) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, rows * height), layout="constrained")
        FigureCanvasSVG(figure)
        parts = np.asarray(figure.subfigures(rows, columns, squeeze=False)).reshape(-1)
        for panel, part in zip(panels, parts, strict=False):
            panel(part)
        content = io.StringIO()
        figure.savefig(content, format="svg", metadata={"Date": None})
    return _alone(content.getvalue())


def _alone(text: str) -> str:
    """The element without the XML header, with ids that only an equal figure shares."""
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*">', "<g>", text)
    own = hashlib.sha256(text.encode()).hexdigest()[:8]
    return re.sub(r'(\bid="|\bhref="#|url\(#)', rf"\g<1>{own}-", text)


def learning_curves(
    curves: Mapping[str, np.ndarray],
    steps: np.ndarray,
    label: str,
    floors: Mapping[str, float] | None = None,
    title: str = "",
    step: str = "training step",
) -> Panel:
    """A line per network, the mean of its lanes, in a band from the lowest to the highest lane.

    Args:
        curves: for each network `[lanes, points]`.
        steps: training steps done at each point, `[points]`.
        label: what the curves show, with its unit.
        floors: values to compare with, drawn as dashed lines.
        title: of the panel.
        step: what a step is.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for colour, (name, lanes) in zip(_colours(len(curves)), curves.items(), strict=True):
            axes.plot(steps, lanes.mean(axis=0), color=colour, label=name)
            axes.fill_between(steps, lanes.min(axis=0), lanes.max(axis=0), color=colour, alpha=0.2, linewidth=0)
        for name, value in (floors or {}).items():
            axes.axhline(value, color=FAINT, linestyle="--", linewidth=1)
            axes.text(steps[-1], value, name, color=FAINT, ha="right", va="bottom")
        axes.set(xlabel=step, ylabel=label, title=title)
        axes.legend()

    return draw


def best_so_far(
    curves: Mapping[str, np.ndarray],
    label: str,
    tries: str,
    levels: Mapping[str, float] | None = None,
    title: str = "",
) -> Panel:
    """A line per search: the best value among all tries so far.

    Args:
        curves: for each search `[tries]`; what is not finite is left out.
        label: what the values are, with their unit.
        tries: what a try is.
        levels: values to compare with, drawn as dashed lines.
        title: of the panel.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for colour, (name, values) in zip(_colours(len(curves)), curves.items(), strict=True):
            shown = np.where(np.isfinite(values), values, np.nan)
            axes.step(np.arange(1, len(values) + 1), shown, where="post", color=colour, label=name)
        for place, (name, value) in enumerate((levels or {}).items()):
            axes.axhline(value, color=FAINT, linestyle="--", linewidth=1)
            axes.annotate(
                name, (1 - 0.1 * place, value), xycoords=("axes fraction", "data"), color=FAINT, ha="right", va="bottom"
            )
        axes.set(xlabel=tries, ylabel=label, title=title)
        axes.legend()

    return draw


def raster(spikes: np.ndarray, dt_ms: float, borders: Sequence[float] = (), title: str = "") -> Panel:
    """A tick for every spike.

    Args:
        spikes: above 0 where a neuron fires, `[time, neurons]`.
        dt_ms: length of a step (ms).
        borders: times to mark by vertical lines (ms).
        title: of the panel.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        times, neurons = np.nonzero(spikes > 0)
        for border in borders:
            axes.axvline(border, color=FAINT, linewidth=0.5)
        axes.scatter((times + 1) * dt_ms, neurons, s=9, marker="|", color=INK, linewidths=0.8)
        axes.set(xlabel="time (ms)", ylabel="neuron", title=title, xlim=(0, len(spikes) * dt_ms))
        axes.set_ylim(-1, spikes.shape[1])

    return draw


def membrane(voltage_mv: np.ndarray, threshold_mv: float, spikes: np.ndarray, dt_ms: float, title: str = "") -> Panel:
    """The voltage of one neuron after each step, the threshold, and a tick above it for every spike.

    Args:
        voltage_mv: `[time]`.
        threshold_mv: drawn as a dashed line.
        spikes: above 0 where the neuron fires, `[time]`.
        dt_ms: length of a step (ms).
        title: of the panel.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        times = (1 + np.arange(len(voltage_mv))) * dt_ms
        axes.plot(times, voltage_mv, color=COLOURS[0], drawstyle="steps-post", linewidth=1.2, label="voltage")
        axes.axhline(threshold_mv, color=COLOURS[1], linestyle="--", linewidth=1, label="threshold")
        low, high = axes.get_ylim()
        top = high + 0.08 * (high - low)
        fired = times[spikes > 0]
        axes.scatter(fired, np.full(len(fired), top), s=40, marker="|", color=INK, label="spike")
        axes.set(xlabel="time (ms)", ylabel="voltage (mV)", title=title, xlim=(0, times[-1]))
        axes.set_ylim(low, top + 0.25 * (high - low))
        axes.legend(ncols=3, loc="upper right")

    return draw


def gates(opening: Mapping[str, np.ndarray], image: np.ndarray, title: str = "") -> Panel:
    """An image, and beside it how far each gate of each neuron is open while the image is read row by row.

    Args:
        opening: for each gate `[rows, neurons]`, from 0 to 1.
        image: `[rows, columns]`.
        title: of the panel.
    """

    def draw(figure: Any) -> None:
        widths = [1.0] + [1.6] * len(opening)
        first, *others = np.asarray(figure.subplots(1, len(widths), width_ratios=widths)).reshape(-1)
        first.imshow(image, cmap="gray_r", aspect="auto", interpolation="nearest")
        first.set(ylabel="time step (row)", xlabel="input", xticks=[], title=title)
        shown = None
        for axes, (name, values) in zip(others, opening.items(), strict=True):
            shown = axes.imshow(values, cmap="viridis", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
            axes.set(xlabel=f"{name} gate", xticks=[], yticks=[])
        if shown is not None:
            figure.colorbar(shown, ax=others, ticks=[0, 1], shrink=0.8).ax.set_yticklabels(["shut", "open"])

    return draw


def _colours(count: int) -> list[str]:
    return [COLOURS[index % len(COLOURS)] for index in range(count)]
