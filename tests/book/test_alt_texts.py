"""The numbers in the alternative text of a figure are in what is drawn, or in the notebook.

A drawing is read back: the labels of its ticks say which data a place stands for. Of a long line
only the ends and the turning points count, so that a number does not agree by chance.
"""

import re
import xml.etree.ElementTree as ET
from io import StringIO
from itertools import pairwise
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pytest

from latent_em.book import notebooks

SVG = "image/svg+xml"
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?|-?\.\d+")
STATED = re.compile(r"(?<![\w.])(\d[\d,]*(?:\.\d+)?)(e-?\d+)?( percent)?")
MANY = 60  # points of a line or of a cloud, of which each is no longer worth mentioning
# What is neither drawn nor printed.
ELSEWHERE = {
    "01_latent_variables": {"64", "71", "96", "272"},  # of the data, which bars hide
    "02_marginal_likelihood": {
        *("1044.0", "1458.2", "414"),  # heights on a map
        *("2.3", "1.3"),  # log 10, and a distance
        "9.3",  # the top of a curve, between two of its points
    },
    "04_jensen_bound": {"57.9", "1.1", "0.2"},  # a top between two points, and distances
    "05_em_algorithm": {"19"},  # a distance
    "06_missing_information": {"1e-9", "0.625"},  # the foot of an axis, and a limit
    "07_bernoulli_bernoulli": {"118"},  # raters
    "08_gaussian_mixtures": {"99"},  # waits
    "10_latent_dirichlet_allocation": {"0.11", "0.67"},  # a ninth and six, in triangles
    "11_lda_elbo": {"2000"},  # on an axis with both signs
    "12_lda_used": {"70"},  # a distance
}
TICK = re.compile(r"(?:\$\\mathdefault\{)?(-?)(?:(\d[\d.]*)|10\^\{(-?\d+)\})\}?\$?$")


def numbers(text):
    """Return the numbers in a text, without signs."""
    text = text.replace("\N{MINUS SIGN}", "-").replace("_", "")
    return [abs(float(number.replace(",", "") or 0)) for number in NUMBER.findall(text)]


def tick(text):
    """Return the value of a tick's label, or None."""
    found = TICK.match(text.strip().replace("\N{MINUS SIGN}", "-"))
    if not found:
        return None
    sign, plain, power = found.groups()
    return (-1 if sign else 1) * (float(plain) if plain else 10.0 ** int(power))


class Scale(NamedTuple):
    """From a place on an axis to the value there, or to its power of ten."""

    line: np.ndarray
    powers: bool = False

    def read(self, places):
        """Return values, or powers of ten on an axis of them."""
        return np.polyval(self.line, places)

    def value(self, read):
        """Return the values of what was read."""
        return 10.0**read if self.powers else read

    def unread(self, values):
        """Return what values are read as."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(values) if self.powers else values


def scale(axes, letter, before):
    """Return the scale of an axis; the one before if it has no labels."""
    places, values, powers = [], [], False
    for group in axes.iter():
        if not group.get("id", "").startswith(f"{letter}tick_"):
            continue
        uses = [float(part.get(letter)) for part in group.iter() if part.get(letter)]
        labels = [part.text for part in group.iter() if part.tag is ET.Comment]
        if uses and labels and tick(labels[0]) is not None:
            places.append(uses[0])
            values.append(tick(labels[0]))
            powers |= "^" in labels[0]
    if len(places) < 2:
        return before
    linear = np.polyfit(places, values, 1)
    bent = not np.allclose(np.polyval(linear, places), values, atol=1e-3 * np.ptp(values))
    if min(values) > 0 and (powers or bent):
        return Scale(np.polyfit(places, np.log10(values), 1), powers=True)
    return before if bent else Scale(linear)


def vertices(path):
    """Return the places of a path's vertices, one row each."""
    steps = re.findall(r"[MLCQ]([-\d.e\s]+)", path)
    return np.array([step.split()[-2:] for step in steps], dtype=float).reshape(-1, 2)


def notable(points):
    """Return the points worth mentioning: all of a few, else ends, turning points and extremes."""
    if len(points) <= MANY:
        return points
    keep = {0, len(points) - 1, *points.argmin(0), *points.argmax(0)}
    rises = np.sign(np.diff(points[:, 1]))
    keep |= {i + 1 for i, (a, b) in enumerate(pairwise(rises)) if a != b}
    return points[sorted(keep)]


def beside(points, stated):
    """Return where a line stands at each of some numbers."""
    for (x, y), (u, v) in pairwise(points):
        for number in stated:
            if x != u and min(x, u) <= number <= max(x, u):
                yield y + (v - y) * (number - x) / (u - x)


def drawn(svg, stated=()):
    """Return the numbers of a drawing: its words, and the data and counts of what it shows.

    With a line belong the numbers that go with those in ``stated``.
    """
    root = ET.fromstring(svg, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
    found = [n for part in root.iter() if part.tag is ET.Comment for n in numbers(part.text)]
    stated = np.concatenate([stated, np.negative(stated)])
    x = y = Scale(np.zeros(2))
    for axes in root.iter():
        if not re.fullmatch(r"axes_\d+", axes.get("id", "")):
            continue
        x, y = scale(axes, "x", x), scale(axes, "y", y)
        for group in axes:
            if re.match(r"matplotlib|text|legend", group.get("id", "")):
                continue
            marks = [(float(p.get("x")), float(p.get("y"))) for p in group.iter() if p.get("y")]
            paths = [p.get("d") for p in group.iter() if p.get("d") and not p.get("id")]
            for points in [np.reshape(marks, (-1, 2)), *map(vertices, paths)]:
                found.append(len(points))
                if len(points):
                    read = np.column_stack([x.read(points[:, 0]), y.read(points[:, 1])])
                    few = notable(read)
                    found += [*x.value(few[:, 0]), *y.value(few[:, 1])]
                    found += [y.value(one) for one in beside(read, x.unread(stated))]
                    found += [x.value(one) for one in beside(read[:, ::-1], y.unread(stated))]
    return np.abs(found)


def figures(notebook):
    """Yield the cell, alternative text and known numbers of each figure."""
    printed = [
        number
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        for number in numbers(output.get("text", ""))
    ]
    for place, cell in enumerate(notebook.cells):
        alts = cell.metadata.get("steps", {}).get("alt") or [
            cell.metadata.get("mystnb", {}).get("image", {}).get("alt")
        ]
        svgs = [o.data[SVG] for o in cell.get("outputs", []) if SVG in o.get("data", {})]
        for alt, svg in zip(alts, svgs, strict=False):
            yield (
                place,
                alt,
                np.concatenate([printed, numbers(cell.source), drawn(svg, numbers(alt))]),
            )


def unknown(alt, known):
    """Return the numbers of a text that no known one rounds to."""
    for number, power, percent in STATED.findall(alt):
        number = number.rstrip(",")
        half = 0.5000001 * 10.0 ** -len(number.partition(".")[2])
        if len(number) > 2 and "." not in number:  # 3900 is rounded to hundreds, 1815 to fives
            half *= 5 if number[-1] == "5" else 10 ** (len(number) - len(number.rstrip("0")))
        unit = float("1" + power) / (100 if percent else 1)
        units = {unit, 1.0} if percent else {unit}
        units |= {unit / 1000} if "milliseconds" in alt else set()
        value = float(number.replace(",", ""))
        if not any(np.any(np.abs(known - value * u) <= half * u) for u in units):
            yield number + power


@pytest.mark.parametrize("path", notebooks.find(), ids=lambda path: path.stem)
def test_the_numbers_of_an_alternative_text_are_those_of_its_figure(path):
    found = [
        f"cell {place}: {number} in {alt[:60]!r}"
        for place, alt, known in figures(notebooks.read(path))
        for number in unknown(alt, known)
        if number not in ELSEWHERE.get(path.stem, ())
    ]
    assert found == []


@pytest.fixture(scope="module")
def svg():
    """A curve with its top at (3, 7.25), and three bars, on scales from matplotlib."""
    plt.rcParams["svg.fonttype"] = "path"
    fig, (left, right) = plt.subplots(1, 2)
    x = np.linspace(0, 10, 201)
    left.plot(x, 7.25 - (x - 3) ** 2 / 7)
    left.set_title("gap 0.68 nats")
    right.bar([1, 2, 3], [2.5, 31, 440])
    right.set_yscale("log")
    file = StringIO()
    fig.savefig(file, format="svg")
    plt.close(fig)
    return file.getvalue()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("A curve with its top, 7.25, at 3.00; a gap of 0.68; bars of 2.5 and 440.", []),
        ("A curve with its top, 7.35, at 3.00.", ["7.35"]),
        ("A curve with its top at 3.47.", ["3.47"]),
        ("A gap of 0.69.", ["0.69"]),
        ("Bars of 32 and 440.", ["32"]),
        ("The curve is at 5 where its height is 6.68.", []),
        ("The curve is at 5 where its height is 6.77.", ["6.77"]),
        ("Bars of 250 percent, about 451.", ["451"]),
    ],
)
def test_a_number_that_is_not_drawn_is_noticed(svg, text, wrong):
    assert list(unknown(text, drawn(svg, numbers(text)))) == wrong
