"""Drawing what the chapters show; every function draws on the axes it is given."""

import sys

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm

# Okabe & Ito's palette, told apart with any colour vision: blue, vermilion, green, purple.
COLORS = np.array([[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167]]) / 255

STYLE = {
    "figure.figsize": (6.4, 3.6),
    "figure.dpi": 144,
    "figure.facecolor": "none",
    "font.family": ["STIXGeneral", "DejaVu Sans"],  # the second for what the first lacks
    "font.size": 12,
    "mathtext.fontset": "stix",
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "svg.hashsalt": "latent_em",  # the same names in every run
}


def use_style():
    """Set the book's figure style for the rest of the session; a notebook shows vector graphics."""
    plt.rcParams.update(STYLE)
    if "ipykernel" in sys.modules:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg", metadata={"Date": None})


def blend(resp):
    """Mix the components' colours in proportion to the responsibilities.

    Parameters
    ----------
    resp : ndarray of shape (n_samples, n_components)
        Rows sum to one; at most four components.

    Returns
    -------
    ndarray of shape (n_samples, 3)
        Red, green, blue, 0 to 1.
    """
    return np.clip(resp @ COLORS[: resp.shape[1]], 0, 1)


def plot_densities(ax, params, x):
    """Draw the weighted components of a 1-D mixture, and their sum in black.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    params : latent_em.gaussian_mixture.Params
        With one feature.
    x : ndarray of shape (n_points,)
        Where to evaluate, increasing.
    """
    parts = [
        weight * norm.pdf(x, mean[0], np.sqrt(covariance[0, 0]))
        for weight, mean, covariance in zip(*params, strict=True)
    ]
    for k, (part, color) in enumerate(zip(parts, COLORS, strict=False), start=1):
        ax.fill_between(x, part, color=color, alpha=0.25, linewidth=0)
        ax.plot(x, part, color=color, linestyle=["-", "--", "-.", ":"][k - 1], label=f"group {k}")
    ax.plot(x, np.sum(parts, axis=0), color="black", label="both")


def plot_ellipses(ax, params, *, radii=(1, 2)):
    """Draw every component of a 2-D mixture: a cross at each μ, ellipses ‖L⁻¹(x − μ)‖ = radius.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    params : latent_em.gaussian_mixture.Params
        With two features.
    radii : sequence of float
        In standard deviations.
    """
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    factors = np.linalg.cholesky(params.covariances)
    for mean, L, color in zip(params.means, factors, COLORS, strict=False):
        ax.plot(*mean, marker="X", markersize=11, color=color, markeredgecolor="white")
        for radius in radii:
            ax.plot(*(mean[:, None] + radius * L @ circle), color=color, linewidth=1.8)


def plot_graph(ax, nodes, edges, *, plate=None):
    """Draw a graphical model: a circle for each variable, grey if it is observed.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Loses its frame; one unit is as long upwards as sideways.
    nodes : dict
        From a node's label to (x, y, observed); the circles have radius 0.3.
    edges : iterable of pair
        Labels (parent, child).
    plate : tuple, optional
        Left, bottom, width, height, label of the box whose content is repeated.
    """
    for label, (x, y, observed) in nodes.items():
        color = "0.8" if observed else "white"
        ax.add_patch(plt.Circle((x, y), 0.3, facecolor=color, edgecolor="black", linewidth=1.5))
        ax.text(x, y, label, ha="center", va="center", fontsize=16)
    for parent, child in edges:
        start, end = (np.array(nodes[name][:2], dtype=float) for name in (parent, child))
        step = 0.3 * (end - start) / np.linalg.norm(end - start)
        arrow = {"arrowstyle": "-|>", "color": "black", "shrinkA": 0, "shrinkB": 0, "lw": 1.5}
        ax.annotate("", end - step, start + step, arrowprops=arrow)
    if plate is not None:
        left, bottom, width, height, label = plate
        ax.add_patch(plt.Rectangle((left, bottom), width, height, fill=False, linewidth=1.2))
        ax.text(left + width - 0.08, bottom + 0.08, label, ha="right", va="bottom")
    ax.set_aspect("equal")
    ax.autoscale_view()
    ax.axis("off")


def plot_images(ax, images, *, columns, largest):
    """Draw square grey images in rows, dark ink on white.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Loses its frame.
    images : ndarray of shape (n_images, side * side)
        Line by line. Where NaN, a pixel is pink.
    columns : int
        Images in a row, a divisor of their number.
    largest : float
        What is drawn black; 0 and less is white.
    """
    side = round(np.sqrt(images.shape[1]))
    tiles = images.reshape(-1, columns, side, side)
    framed = np.pad(tiles, [(0, 0), (0, 0), (1, 1), (1, 1)])
    grey = plt.get_cmap("gray_r").with_extremes(bad="#f2c6d8")
    ax.imshow(np.block([list(row) for row in framed]), cmap=grey, vmin=0, vmax=largest)
    ax.axis("off")
