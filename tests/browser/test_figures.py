"""The figures to drag: what they show is what ``latent_em`` computes.

Each is taken from the Markdown cell that holds it and opened from a file, with the network off.
``python tests/browser/test_figures.py`` draws anew the pictures that stand in for them where
scripts are off.
"""

import json
import re
import shutil
import sys
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from itertools import combinations, islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt
from scipy.optimize import linear_sum_assignment
from scipy.stats import kstest, norm

from latent_em import bounds, dirichlet, gaussian_mixture, importance, lda
from latent_em.book import fonts, notebooks
from latent_em.datasets import load_old_faithful
from latent_em.em import fit_em, iterates
from latent_em.examples import linkage

sync = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")

STATIC = notebooks.BOOK / "_static"
PICTURES = notebooks.BOOK / "figures"
FIGURES = ["jensen", "em", "mixture", "importance", "lda"]
WIDTHS = [1280, 390]

# The drawing as a file: without what only the page needs, and with the colours of the light page.
AS_FILE = """(svg) => {
  const copy = svg.cloneNode(true);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("class", "drag drag-drawing");
  copy.querySelectorAll(".drag-target, .drag-focus").forEach((node) => node.remove());
  for (const node of [copy, ...copy.querySelectorAll("*")]) {
    for (const { name, value } of [...node.attributes]) {
      if (/^(role|tabindex|aria-.*)$/.test(name)) node.removeAttribute(name);
      else if (name !== "xmlns")
        node.setAttribute(name, value.replace(/-?[0-9]+[.][0-9]+/g, (n) => +(+n).toFixed(1)));
    }
  }
  return new XMLSerializer().serializeToString(copy).replace(/></g, ">\\n<");
}"""


@cache
def cell_of(name):
    """The notebook and the Markdown of a figure."""
    for path in notebooks.find():
        for cell in notebooks.read(path).cells:
            found = re.search(rf'^<div class="figure-{name}".*?^</div>', cell.source, re.S | re.M)
            if found:
                return path, found[0]
    raise LookupError(f"no cell has the figure {name}")


def alt_text(name):
    """What the picture of a figure says, with plain minus signs."""
    return re.search(r"!\[(.*?)\]", cell_of(name)[1], re.S)[1].replace("−", "-")


@cache
def faces():
    """The faces of the text, cut down as in the book."""
    scripts = [script.read_text(encoding="utf-8") for script in (STATIC / "figures").glob("*.js")]
    used = set(map(ord, "".join(scripts))) | set(range(32, 127))
    found = {}
    for name in ("serif", "serif-italic", "serif-bold"):
        package, file = fonts.FACES[name]
        face = Path(find_spec(package).origin).parent / file
        found[name] = fonts.cut(face, used)
    return found


def write_styles(folder):
    """The style sheets of the book with the faces beside them, as in the built book."""
    (folder / "fonts").mkdir(exist_ok=True)
    for sheet in ("book.css", "figures.css"):
        shutil.copy(STATIC / sheet, folder)
    for name, face in faces().items():
        (folder / "fonts" / f"{name}.woff2").write_bytes(face)
    return folder


def write_page(name, folder, theme="light"):
    """A page with one figure and the scripts and the style of the book."""
    path, markdown = cell_of(name)
    html = MarkdownIt("commonmark", {"html": True}).render(markdown)
    styles = "".join(
        f'<link rel="stylesheet" href="{(write_styles(folder) / sheet).as_uri()}">'
        for sheet in ("book.css", "figures.css")
    )
    colours = {"light": "#fff; color: #222", "dark": "#121212; color: #ddd"}[theme]
    page = folder / f"{name}-{theme}.html"
    page.write_text(
        f'<!DOCTYPE html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{name}</title>'
        f'<base href="{path.parent.as_uri()}/">{styles}'
        f'<script defer src="{(STATIC / "figures" / "load.js").as_uri()}"></script></head>'
        f'<body style="font-family: var(--pst-font-family-base); background: {colours}">'
        f'<article class="bd-article" style="max-width: 736px">{html}</article></body></html>',
        encoding="utf-8",
    )
    return page.as_uri()


@contextmanager
def chromium():
    """An installed Chromium, or Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    installed = next(filter(None, map(shutil.which, names)), None)
    with sync.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=installed, args=["--no-sandbox", "--disable-gpu"]
            )
        except sync.Error as error:
            pytest.skip(f"needs Chromium: playwright install chromium ({error.message[:80]})")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture
def show(browser, tmp_path):
    """Open a figure; a complaint in the console is an error in the end."""
    complaints, contexts = [], []

    def open_page(name, width=1280, theme="light", **options):
        settings = {"viewport": {"width": width, "height": 1000}, "reduced_motion": "reduce"}
        context = browser.new_context(offline=True, **settings | options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(write_page(name, tmp_path, theme))
        if options.get("java_script_enabled", True):
            page.wait_for_selector(f"div.figure-{name}[data-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def data(page):
    """The numbers that a figure exposes."""
    values = page.locator("div.drag").evaluate("(div) => ({...div.dataset})")
    return {key: numbers(value) for key, value in values.items()}


def numbers(text):
    try:
        found = [float(part.replace("Infinity", "inf")) for part in text.split()]
    except ValueError:
        return text
    return found[0] if len(found) == 1 else np.array(found)


def words(page):
    """The line of words, with plain minus signs and spaces."""
    return (
        page.locator(".drag-words")
        .inner_text()
        .replace("−", "-")
        .replace("\xa0", " ")
        .replace("‑", "-")
    )


def handle(page, label):
    return page.get_by_role("slider", name=label)


def pull(page, label, dx, dy=0, drop=True):
    """Drag a handle by so many pixels."""
    box = handle(page, label).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    if drop:
        page.mouse.up()


def press(page, label, *keys):
    for key in keys:
        handle(page, label).press(key)


def overlaps(page):
    """Pairs of texts of the drawing that lie on one another."""
    boxes = page.locator("svg.drag-drawing text").evaluate_all(
        """(texts) => texts
          .filter((text) => text.textContent && getComputedStyle(text).display !== "none")
          .map((text) => [text.textContent, text.getBoundingClientRect().toJSON()])"""
    )
    return [
        (a, b)
        for (a, p), (b, q) in combinations(boxes, 2)
        if min(p["right"], q["right"]) - max(p["left"], q["left"]) > 1
        and min(p["bottom"], q["bottom"]) - max(p["top"], q["top"]) > 4  # room for descenders
    ]


def as_file(page):
    drawing = page.locator("svg.drag-drawing").evaluate(AS_FILE)
    opening, rest = drawing.split(">", 1)
    style = (STATIC / "figures.css").read_text(encoding="utf-8").partition(".drag-controls")[0]
    ground = '<rect width="100%" height="100%" style="fill: #fff"/>'
    return f"{opening}>\n<style>\n{style}</style>\n{ground}{rest}\n"


# --- what holds for all of them -------------------------------------------------------------------


@pytest.mark.parametrize("name", FIGURES)
def test_the_picture_for_pages_without_scripts_is_what_the_script_draws(show, name):
    drawn = as_file(show(name))
    stored = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert stored == drawn, f"draw it anew: python {Path(__file__).name}"


@pytest.mark.parametrize("name", FIGURES)
def test_without_scripts_the_picture_shows(show, name):
    page = show(name, java_script_enabled=False)
    assert page.locator("img").evaluate("(image) => image.complete && image.naturalWidth") > 600
    assert len(page.locator("img").get_attribute("alt")) > 100


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", FIGURES)
def test_texts_are_large_enough_apart_and_inside(show, name, width):
    page = show(name, width)
    assert overlaps(page) == []
    sizes = page.locator("svg text").evaluate_all(
        "(texts) => texts.map((text) => parseFloat(getComputedStyle(text).fontSize))"
    )
    assert min(sizes) >= 14
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", FIGURES)
def test_every_handle_answers_the_keyboard_and_says_its_value(show, name):
    page = show(name)
    for slider in page.get_by_role("slider").all():
        assert slider.get_attribute("aria-label")
        before = slider.get_attribute("aria-valuetext")
        slider.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext") != before
        low, now, high = (slider.get_attribute(f"aria-value{x}") for x in ("min", "now", "max"))
        assert float(low) <= float(now) <= float(high)
        assert slider.evaluate("(node) => node === document.activeElement")


@pytest.mark.parametrize("name", FIGURES)
def test_a_turned_screen_keeps_the_state_and_the_focus(show, name):
    page = show(name)
    slider = page.get_by_role("slider").first
    slider.press("ArrowRight")
    before = data(page), slider.get_attribute("aria-valuetext")
    page.set_viewport_size({"width": 500, "height": 900})
    page.wait_for_function("document.querySelector('svg.drag-drawing').clientWidth < 500")
    assert str(before) == str((data(page), slider.get_attribute("aria-valuetext")))
    assert slider.evaluate("(node) => node === document.activeElement")


def test_the_scripts_are_small_and_load_nothing_else():
    scripts = list((STATIC / "figures").glob("*.js"))
    assert scripts
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        assert len(text) < 50_000
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|\bimport\b|fetch\(", text)


def test_a_finger_drags_and_the_page_stays(show):
    page = show("jensen", 390, has_touch=True)
    box = handle(page, "Guess q").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)
    for kind, at in (("touchStart", 0), ("touchMove", 30), ("touchMove", 60), ("touchEnd", None)):
        points = [] if at is None else [{"x": x + at, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    room = page.locator("svg").evaluate("(svg) => svg.clientWidth") - 52
    assert check_jensen(page)["q"] == pytest.approx(0.5 + 60 / room, abs=0.01)


def test_what_moves_shows_true_numbers_on_its_way_and_stops_when_told(show):
    page = show("em", reduced_motion="no-preference")
    page.get_by_role("button", name="Run").click()
    page.wait_for_function("document.querySelector('div.drag').dataset.steps === '3'")
    shown = data(page)
    assert shown["bound"] == pytest.approx(half_bound(shown["theta"], shown["q"]), abs=1e-9)
    handle(page, "Share ill").press("ArrowUp")
    assert page.get_by_role("button", name="Run").is_visible()
    shown = check_em(page)
    assert shown["moves"] == 1
    page.wait_for_timeout(700)
    assert check_em(page)["theta"] == shown["theta"]


# --- Jensen ---------------------------------------------------------------------------------------

JENSEN = gaussian_mixture.Params(
    np.array([0.36, 0.64]), np.array([[54.6], [80.1]]), np.full((2, 1, 1), 5.9**2)
)


def check_jensen(page):
    shown = data(page)
    log_joint = gaussian_mixture.log_joint(JENSEN, [[63.0]])
    guess = np.array([shown["q"], 1 - shown["q"]])
    elbo, kl = bounds.elbo(log_joint, guess)[0], bounds.gap(log_joint, guess)[0]
    assert shown["elbo"] == pytest.approx(elbo, abs=1e-9)
    assert shown["kl"] == pytest.approx(kl, abs=1e-9)
    assert shown["logEvidence"] == pytest.approx(bounds.log_evidence(log_joint)[0], abs=1e-9)
    with np.errstate(divide="ignore"):
        assert shown["w"] == pytest.approx(np.exp(log_joint[0]) / guess, rel=1e-9)
    assert f"ELBO {elbo:.3f} + KL {kl:.3f} = log p(63) = -4.658 nats" in words(page)
    return shown


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("share", [-0.48, -0.25, 0.1, 0.3, 0.49])
def test_jensen_follows_the_pointer(show, width, share):
    page = show("jensen", width)
    whole = page.locator("rect.drag-fill-1").bounding_box()["width"] * 2  # q is one half
    pull(page, "Guess q", share * whole, drop=False)
    assert check_jensen(page)["q"] == pytest.approx(0.5 + share, abs=2 / whole)
    assert overlaps(page) == []


def test_jensen_follows_the_keyboard(show):
    page = show("jensen")
    for key, q in [
        ("ArrowLeft", 0.49),
        ("PageUp", 0.59),
        ("Home", 0),
        ("ArrowUp", 0.01),
        ("End", 1),
    ]:
        press(page, "Guess q", key)
        assert check_jensen(page)["q"] == pytest.approx(q)
        assert overlaps(page) == []
    page.get_by_role("button", name="Go to the posterior").click()
    shown = check_jensen(page)
    posterior = bounds.posterior(gaussian_mixture.log_joint(JENSEN, [[63.0]]))[0, 0]
    assert shown["q"] == pytest.approx(posterior)
    assert shown["kl"] == pytest.approx(0, abs=1e-9)
    assert "the gap is closed" in words(page)


def test_a_weight_and_the_dome_can_be_dragged(show):
    page = show("jensen")
    weight, dot = (
        page.locator("g.drag-grip:has(> circle.drag-fill-1)"),
        page.locator("g.drag-grip:has(> circle.drag-fill-3)"),
    )
    for node, dx in ((weight, 60), (dot, -80)):
        before, box = data(page)["q"], node.bounding_box()
        page.mouse.move(box["x"] + 22, box["y"] + 22)
        page.mouse.down()
        page.mouse.move(box["x"] + 22 + dx, box["y"] + 22)
        page.mouse.up()
        assert check_jensen(page)["q"] < before


def test_the_alt_text_of_jensen_is_true():
    log_joint = gaussian_mixture.log_joint(JENSEN, [[63.0]])
    half = np.array([0.5, 0.5])
    w2, w1 = 1000 * np.exp(log_joint[0, ::-1]) / half
    for number in (
        *(f"{w:.1f} thousandths" for w in (w1, w2, (w1 + w2) / 2)),
        f"{bounds.elbo(log_joint, half)[0]:.2f} nats and the curve at "
        f"{bounds.log_evidence(log_joint)[0]:.2f}, a gap of {bounds.gap(log_joint, half)[0]:.2f}",
        f"where the guess is {bounds.posterior(log_joint)[0, 0]:.3f}",
    ):
        assert number in alt_text("jensen")


# --- EM -------------------------------------------------------------------------------------------

TESTS = np.array([20.0, 80.0])
HALF_FOUND = linkage.Model(((0, 0.5, 0), (0, 0.5, 1)))  # positive, negative


def half_bound(theta, q):
    """The bound of the 100 tests if a negative is ill with probability q."""
    log_joint = HALF_FOUND.log_joint(linkage.Params(theta), np.array([0, 1]))
    return TESTS @ bounds.elbo(log_joint, np.array([[0, 1, 0], [0, q, 1 - q]]))


def check_em(page):
    shown = data(page)
    theta, q = shown["theta"], shown["q"]
    likelihood = HALF_FOUND.log_likelihood(linkage.Params(theta), TESTS)
    top = HALF_FOUND.log_likelihood(linkage.Params(0.4), TESTS)
    assert shown["bound"] == pytest.approx(half_bound(theta, q), abs=1e-9)
    assert shown["logLikelihood"] == pytest.approx(likelihood, abs=1e-9)
    assert shown["top"] == pytest.approx(top, abs=1e-9)
    assert f"bound {half_bound(theta, q):.3f}, log-likelihood {likelihood:.3f} nats" in words(page)
    assert f"{top - likelihood:.3f} below the top" in words(page)
    return shown


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("dx", "dy"), [(60, 20), (-100, -180), (-150, -20), (900, -900)])
def test_em_follows_the_pointer(show, width, dx, dy):
    page = show("em", width)
    pull(page, "Share ill", dx, dy)
    shown = check_em(page)
    room = page.locator("svg").evaluate("(svg) => svg.clientWidth") - 54
    assert shown["theta"] == pytest.approx(min(0.7 + dx / room, 0.98), abs=2 / room)
    assert shown["q"] == pytest.approx(min(max(0.2 - dy / 250, 0.02), 0.98), abs=2 / 250)
    assert shown["moves"] == 1
    assert overlaps(page) == []


def test_em_follows_the_keyboard(show):
    page = show("em")
    press(page, "Share ill", "ArrowLeft", "ArrowUp", "Shift+ArrowRight", "PageUp")
    shown = check_em(page)
    assert (shown["theta"], shown["q"]) == pytest.approx((0.79, 0.31))
    assert shown["moves"] == 4


def test_the_steps_are_those_of_the_library(show):
    page = show("em")
    theta = 0.7
    for step in range(1, 4):
        page.get_by_role("button", name="E-step").click()
        shown = check_em(page)
        assert shown["bound"] == pytest.approx(shown["logLikelihood"], abs=1e-9)
        page.get_by_role("button", name="M-step").click()
        shown = check_em(page)
        stats, _, _ = HALF_FOUND.e_step(linkage.Params(theta), TESTS)
        theta = HALF_FOUND.m_step(stats).theta
        assert shown["theta"] == pytest.approx(theta, abs=1e-12)
        assert shown["steps"] == 2 * step
        assert overlaps(page) == []


def test_a_run_stops_where_the_library_does(show):
    page = show("em")
    page.get_by_role("button", name="Run").click()
    page.get_by_text("so EM stops").wait_for(timeout=20_000)
    steps = islice(iterates(HALF_FOUND, linkage.Params(0.7), [TESTS]), 60)
    theta = np.array([params.theta for params in steps])
    after_m = [half_bound(new, old / (2 - old)) for old, new in pairwise(theta)]
    stop = np.flatnonzero(np.diff([half_bound(0.7, 0.2), *after_m]) < 1e-3)[0] + 1
    assert check_em(page)["theta"] == pytest.approx(theta[stop], abs=1e-12)


def test_what_em_cannot_see_can_be_hidden(show):
    page = show("em")
    page.get_by_role("button", name="Hide").click()
    assert "likelihood" not in words(page)
    assert not page.get_by_text("log-likelihood", exact=True).is_visible()
    page.get_by_role("button", name="Start over").click()
    page.get_by_role("button", name="Hide").click()
    check_em(page)


def test_the_alt_text_of_em_is_true():
    likelihood = HALF_FOUND.log_likelihood(linkage.Params(0.7), TESTS)
    top = HALF_FOUND.log_likelihood(linkage.Params(0.4), TESTS)
    bound = half_bound(0.7, 0.2)
    said = alt_text("em")
    assert f"top of {top:.1f} nats at 0.4" in said
    assert f"the bound is {bound:.1f} nats, {likelihood - bound:.1f} below" in said


# --- the mixture ----------------------------------------------------------------------------------

WAITS = load_old_faithful().waiting[:, np.newaxis]


def mixture_params(shown):
    share, widths = shown["share"], shown["widths"]
    weights = np.array([share, 1 - share])
    return gaussian_mixture.Params(
        weights, shown["means"][:, np.newaxis], widths[:, np.newaxis, np.newaxis] ** 2
    )


def check_mixture(page):
    """The numbers, the words, the meter and the colour of every dot."""
    shown = data(page)
    params = mixture_params(shown)
    likelihood = gaussian_mixture.log_likelihood(params, WAITS)
    assert shown["logLikelihood"] == pytest.approx(likelihood, abs=1e-6)
    assert f"Log-likelihood {likelihood:.2f} nats" in words(page)
    assert page.get_by_text(f"log-likelihood −{-likelihood:.1f}", exact=True).count() == 1
    columns = page.locator("svg g[style*=color-mix]").evaluate_all(
        "(all) => all.map((g) => [g.childElementCount, parseFloat(g.style.fill.split(')')[1])])"
    )
    lengths, counts = np.unique(WAITS, return_counts=True)
    resp = gaussian_mixture.responsibilities(params, lengths[:, np.newaxis])[:, 0]
    assert np.array(columns) == pytest.approx(np.column_stack([counts, 100 * resp]), abs=0.051)
    return shown, params


def test_the_waits_of_the_script_are_those_of_the_library():
    script = (STATIC / "figures" / "old_faithful.js").read_text(encoding="utf-8")
    listed = re.search(r"\[(.*)\]", script, re.S)[1]
    assert [int(n) for n in re.findall(r"\d+", listed)] == WAITS[:, 0].tolist()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("label", "move", "name", "sign"),
    [
        ("Mean of group 1", (-50, 0), "means", (-1, 0)),
        ("Mean of group 2", (60, 10), "means", (0, 1)),
        ("Width of group 1", (-20, 0), "widths", (1, 0)),
        ("Width of group 2", (-15, 5), "widths", (0, -1)),
        ("Both means", (-40, -50), "means", (-1, 1)),
    ],
)
def test_the_mixture_follows_the_pointer(show, width, label, move, name, sign):
    page = show("mixture", width)
    before = data(page)[name]
    pull(page, label, *move, drop=False)
    shown, _ = check_mixture(page)
    assert np.sign(shown[name] - before).tolist() == list(sign)
    assert overlaps(page) == []


def test_the_mixture_follows_the_keyboard(show):
    page = show("mixture")
    press(page, "Mean of group 1", "ArrowLeft", "Shift+ArrowLeft")
    press(page, "Mean of group 2", "End")
    press(page, "Width of group 1", "ArrowDown")
    press(page, "Width of group 2", "PageUp")
    press(page, "Share of group 1", "ArrowRight")
    press(page, "Both means", "ArrowUp", "ArrowRight")
    shown, _ = check_mixture(page)
    assert shown["means"].tolist() == [57, 100]
    assert shown["widths"].tolist() == [7.62, 13]
    assert shown["share"] == 0.51


def test_a_step_of_the_mixture_is_that_of_the_library(show):
    page = show("mixture")
    _, params = check_mixture(page)
    for step in range(1, 4):
        page.get_by_role("button", name="One step").click()
        stats, _, _ = gaussian_mixture.e_step(params, WAITS)
        params = gaussian_mixture.m_step(stats)
        shown, there = check_mixture(page)
        for ours, theirs in zip(there, params, strict=True):
            assert ours == pytest.approx(theirs, rel=1e-9)
        assert shown["steps"] == step
        assert overlaps(page) == []


def test_a_run_of_the_mixture_ends_at_the_fit(show):
    page = show("mixture")
    _, params = check_mixture(page)
    page.get_by_role("button", name="Run").click()
    page.get_by_text("EM has come to rest").wait_for(timeout=30_000)
    shown, _ = check_mixture(page)
    fit = fit_em(gaussian_mixture, params, [WAITS], tol=1e-12)
    assert shown["logLikelihood"] == pytest.approx(fit.lower_bounds[-1], abs=1e-3)
    assert shown["means"] == pytest.approx(fit.params.means[:, 0], abs=0.02)


def test_equal_groups_stand_still(show):
    page = show("mixture")
    page.get_by_role("button", name="Equal groups").click()
    page.get_by_role("button", name="Run").click()
    page.get_by_text("EM stands still").wait_for()
    shown, _ = check_mixture(page)
    assert shown["means"] == pytest.approx([WAITS.mean()] * 2, abs=1e-9)
    assert shown["logLikelihood"] == pytest.approx(-1095.29, abs=0.005)


def test_a_narrow_group_runs_away_as_it_does_in_the_library(show):
    page = show("mixture")
    page.get_by_role("button", name="A narrow group").click()
    _, params = check_mixture(page)
    page.get_by_role("button", name="Run").click()
    page.get_by_text("the likelihood grows without end").wait_for()
    shown, _ = check_mixture(page)
    assert shown["logLikelihood"] > -1034  # above the fit
    with pytest.raises(ValueError, match="component 0") as error:
        fit_em(gaussian_mixture, params, [WAITS])
    assert error.value.em_result.n_iter == shown["steps"]
    assert "waits of 78 minutes" in words(page)
    page.get_by_role("button", name="A narrow group").click()
    press(page, "Width of group 1", *["ArrowRight"] * 11)
    assert check_mixture(page)[0]["widths"][0] == pytest.approx(0.5, abs=0.02)
    page.get_by_role("button", name="Run").click()
    page.get_by_text("EM has come to rest").wait_for(timeout=60_000)
    assert check_mixture(page)[0]["logLikelihood"] == pytest.approx(-1034.0, abs=0.01)


def test_the_meter_has_the_marks_of_one_curve_and_of_the_fit(show):
    page = show("mixture")
    page.get_by_role("button", name="Equal groups").click()
    page.get_by_role("button", name="One step").click()
    filled = page.locator("rect.drag-fill-3").bounding_box()
    marks = page.locator("path.drag-line[d*='v18']")
    one, fit = (mark.bounding_box() for mark in marks.all())
    assert filled["x"] + filled["width"] == pytest.approx(one["x"] + one["width"] / 2, abs=1.5)
    page.get_by_role("button", name="Start over").click()
    page.get_by_role("button", name="Run").click()
    page.get_by_text("EM has come to rest").wait_for(timeout=30_000)
    filled = page.locator("rect.drag-fill-3").bounding_box()
    assert filled["x"] + filled["width"] == pytest.approx(fit["x"] + fit["width"] / 2, abs=1.5)


def test_the_first_page_has_the_figure_of_the_chapter():
    sources = [cell.source for cell in notebooks.read(notebooks.BOOK / "intro.ipynb").cells]
    [first] = [source for source in sources if 'class="figure-mixture"' in source]
    for part in (r'data-start="(.*?)"', r"!\[(.*?)\]"):
        assert re.search(part, first)[1] == re.search(part, cell_of("mixture")[1])[1]


def test_the_alt_text_of_the_mixture_is_true():
    share, *rest = (
        float(n) for n in re.search(r'data-start="(.*?)"', cell_of("mixture")[1])[1].split()
    )
    shown = {"share": share, "means": np.array(rest[:2]), "widths": np.array(rest[2:])}
    start = gaussian_mixture.log_likelihood(mixture_params(shown), WAITS)
    one = gaussian_mixture.m_step(gaussian_mixture.moments(WAITS, np.ones((len(WAITS), 1))))
    good = {"share": 0.5, "means": np.array([55.0, 80.0]), "widths": np.array([5.0, 5.0])}
    fit = fit_em(gaussian_mixture, mixture_params(good), [WAITS], tol=1e-12)
    said = alt_text("mixture")
    assert (
        f"{len(WAITS)} dots in a column for each wait from {WAITS.min():.0f} to {WAITS.max():.0f}"
        in said
    )
    assert "means of 62 and 66 minutes and widths of 8 minutes" in said
    assert rest == [62, 66, 8, 8]
    assert f"log-likelihood of {start:.1f} nats" in said
    assert f"{gaussian_mixture.log_likelihood(one, WAITS):.1f} for one curve" in said
    assert f"{fit.lower_bounds[-1]:.1f} where EM rests" in said


# --- importance sampling --------------------------------------------------------------------------

WAIT, MU, LOADING, SIGMA = 85, 70.9, 12, 6  # of the hidden heat
EVIDENCE = norm.pdf(WAIT, MU, np.hypot(LOADING, SIGMA))
HEAT = norm(LOADING * (WAIT - MU) / (LOADING**2 + SIGMA**2), SIGMA / np.hypot(LOADING, SIGMA))


def log_weights(z, mean, width):
    joint = norm.logpdf(z) + norm.logpdf(WAIT, MU + LOADING * z, SIGMA)
    return joint - norm.logpdf(z, mean, width)


def check_importance(page):
    shown = data(page)
    logs = log_weights(shown["z"], shown["mean"], shown["width"])
    estimate = np.exp(importance.log_evidence(logs))
    count, error = importance.effective_sample_size(logs), importance.standard_error(logs)
    assert shown["estimate"] == pytest.approx(estimate, rel=1e-9)
    assert shown["effective"] == pytest.approx(count, rel=1e-9)
    assert shown["error"] == pytest.approx(error, rel=1e-6, abs=1e-7)
    assert shown["truth"] == pytest.approx(EVIDENCE, rel=1e-9)
    said = words(page)
    assert f"{count:.1f} of 100 draws are effective" in said
    assert f"Estimate {estimate:.5f} ± {estimate * error:.5f}, truth {EVIDENCE:.5f}" in said
    radii = page.locator("circle[fill-opacity]").evaluate_all(
        "(discs) => discs.map((disc) => +disc.getAttribute('r'))"
    )
    assert np.square(radii) / 34**2 == pytest.approx(np.exp(logs) / np.exp(logs).sum(), abs=1e-3)
    return shown


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("label", "dx"),
    [("Mean", -150), ("Mean", 60), ("Mean", 900), ("Width", 40), ("Width", 500), ("Width", -500)],
)
def test_importance_sampling_follows_the_pointer(show, width, label, dx):
    page = show("importance", width)
    before = data(page)
    pull(page, f"{label} of the proposal", dx, drop=False)
    after = check_importance(page)
    assert np.sign(after[label.lower()] - before[label.lower()]) == np.sign(dx)
    assert overlaps(page) == []


def test_importance_sampling_follows_the_keyboard(show):
    page = show("importance")
    press(page, "Mean of the proposal", "ArrowRight", "PageUp")
    press(page, "Width of the proposal", "ArrowDown", "ArrowLeft", "ArrowLeft")
    shown = check_importance(page)
    assert (shown["mean"], shown["width"]) == pytest.approx((0.55, 0.94))
    first = shown["z"]
    page.get_by_role("button", name="Draw again").click()
    assert not np.isclose(check_importance(page)["z"], first).any()


def test_the_posterior_makes_every_draw_effective(show):
    page = show("importance")
    page.get_by_role("button", name="Take the posterior").click()
    shown = check_importance(page)
    assert (shown["mean"], shown["width"]) == pytest.approx((HEAT.mean(), HEAT.std()))
    assert shown["effective"] == pytest.approx(100)
    assert shown["estimate"] == pytest.approx(EVIDENCE)


@pytest.mark.parametrize("keys", [[], ["PageUp"], ["PageDown", "PageDown", "PageDown"]])
def test_the_price_is_an_integral(show, keys):
    page = show("importance")
    press(page, "Mean of the proposal", "PageUp", *["ArrowRight"] * 5)
    press(page, "Width of the proposal", *keys)
    shown = check_importance(page)
    grid = np.linspace(-30, 30, 60_001)
    inside = 2 * HEAT.logpdf(grid) - norm.logpdf(grid, shown["mean"], shown["width"])
    if shown["width"] > HEAT.std() / np.sqrt(2):
        assert shown["price"] == pytest.approx(np.trapezoid(np.exp(inside), grid), rel=1e-6)
    else:  # grows without end
        assert shown["price"] == np.inf
        assert inside[-1] > inside[len(grid) * 3 // 4] > 0
        assert "the error means nothing" in words(page)


def test_the_draws_of_the_script_are_standard_normal(show):
    page = show("importance")
    noise = []
    for _ in range(20):
        page.get_by_role("button", name="Draw again").click()
        noise.append(data(page)["z"])
    assert kstest(np.concatenate(noise), "norm").pvalue > 0.01


def test_a_narrow_proposal_misses_four_times_of_ten():
    rng = np.random.default_rng(0)
    z = HEAT.mean() + 0.2 * rng.standard_normal((1000, 100))
    logs = log_weights(z, HEAT.mean(), 0.2)
    off = np.exp(importance.log_evidence(logs)) / EVIDENCE - 1
    error = importance.standard_error(logs) * (1 + off)
    assert (np.abs(off) > 2 * error).mean() == pytest.approx(0.4, abs=0.03)


def test_the_alt_text_of_importance_sampling_is_true(show):
    shown = data(show("importance"))
    said = alt_text("importance")
    assert f"mean {HEAT.mean():.2f} and width {HEAT.std():.2f}" in said
    assert f"{shown['effective']:.1f} of the 100 draws are effective" in said
    assert f"{shown['estimate'] / EVIDENCE:.2f} of the truth" in said
    assert f"an error of {shown['error']:.2f}" in said


# --- LDA on the bars ------------------------------------------------------------------------------

COLUMNS = np.eye(5).repeat(5, axis=0).reshape(5, 5, 5)
BARS = np.concatenate([COLUMNS, COLUMNS.transpose(0, 2, 1)]).reshape(10, 25) / 5
INK = lda.sample(lda.Params(1e6 * BARS + 1e-3, 0.1, 0.1), [50] * 500, random_state=0).counts


def mulberry32(seed):
    """The random numbers of the script."""
    low = 2**32 - 1
    while True:
        seed = (seed + 0x6D2B79F5) & low
        t = (seed ^ seed >> 15) * (1 | seed) & low
        t ^= (t + ((t ^ t >> 7) * (61 | t) & low)) & low
        yield (t ^ t >> 14) / 2**32


class Given(np.random.Generator):
    """Hands out the start of the script, batch after batch, as if it had been drawn."""

    def __init__(self, parts):
        super().__init__(np.random.PCG64(0))
        self.parts = iter(parts)

    def standard_exponential(self, size, dtype):
        part = next(self.parts).astype(dtype)
        assert part.shape == size
        return part


def collapsed(sweeps, seed=1, n_batches=8):
    draws = np.fromiter(mulberry32(seed), float, INK.nnz * 10)
    start = -np.log1p(-draws).reshape(-1, 10)
    document = np.repeat(np.arange(500), np.diff(INK.indptr))
    parts = [start[document % n_batches == batch] for batch in range(n_batches)]
    return lda.cvb0(INK, 10, 0.1, 0.1, tol=0, max_iter=sweeps, random_state=Given(parts))


def climbed(lambda_, sweeps):
    start = lda.Params(lambda_, 0.1, 0.1)
    return fit_em(lda.Model(max_doc_iter=5), start, [INK], tol=0, max_iter=sweeps)


def check_lda(page, lambda_, bound, rel=1e-9):
    shown = data(page)
    assert shown["lambda"].reshape(10, 25) == pytest.approx(lambda_, rel=rel, abs=50 * rel)
    assert shown["bound"] == pytest.approx(bound, rel=min(rel, 1e-5))
    topics = dirichlet.mean(lambda_)
    apart = np.abs(topics[:, np.newaxis] - BARS).sum(axis=2) / 2
    found = (apart[linear_sum_assignment(apart)] < 0.1).sum()
    assert shown["found"] == found
    assert f"{found} of 10 bars are found" in words(page)
    assert f"Bound {shown['bound']:.0f} nats" in words(page)
    opacity = page.locator("svg rect.drag-fill").evaluate_all(
        "(pixels) => pixels.map((pixel) => +pixel.getAttribute('fill-opacity'))"
    )
    assert opacity == pytest.approx(np.minimum(5 * topics.ravel(), 1), abs=0.006)


def test_the_documents_of_the_script_are_those_of_the_chapter():
    script = (STATIC / "figures" / "bars.js").read_text(encoding="utf-8")
    rows = re.search(r"`\n(.*)\n`", script, re.S)[1].split("\n")
    assert [[int(n, 36) for n in row] for row in rows] == INK.toarray().tolist()
    (chapter,) = notebooks.BOOK.glob("chapters/*_lda_used.ipynb")
    cells = [cell.source for cell in notebooks.read(chapter).cells]
    names = {"np": np, "lda": lda}
    exec(next(source for source in cells if "def documents(seed)" in source), names)
    assert (names["documents"](0) != INK).nnz == 0


@pytest.mark.parametrize("sweeps", [0, 1, 4, 30])
def test_vb_is_that_of_the_library(show, sweeps):
    page = show("lda")
    page.get_by_role("button", name="VB", exact=True).click()
    press(page, "Sweep", "Home", *["ArrowRight"] * sweeps)
    draws = np.fromiter(mulberry32(1), float, 250)
    fit = climbed(0.8 + 0.4 * draws.reshape(10, 25), sweeps)
    check_lda(page, fit.params.lambda_, fit.lower_bounds[-1], rel=1e-6)
    assert overlaps(page) == []


@pytest.mark.parametrize(("sweeps", "rel"), [(0, 1e-5), (1, 1e-5), (5, 1e-4), (30, 1e-2)])
def test_cvb0_is_that_of_the_library(show, sweeps, rel):
    page = show("lda")
    press(page, "Sweep", "Home", *["ArrowRight"] * sweeps)
    fit = collapsed(sweeps)
    check_lda(page, fit.params.lambda_, lda.elbo(INK, fit.gamma, fit.params.lambda_, 0.1, 0.1), rel)


def test_cvb0_then_vb_is_that_of_the_library(show):
    page = show("lda")
    page.get_by_role("button", name="CVB0, then VB").click()
    press(page, "Sweep", "ArrowLeft", "ArrowLeft", "PageDown")
    assert data(page)["sweep"] == 18
    fit = climbed(collapsed(14).params.lambda_, 4)
    check_lda(page, fit.params.lambda_, fit.lower_bounds[-1], rel=1e-2)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_sweeps_follow_the_pointer(show, width):
    page = show("lda", width)
    place = handle(page, "Sweep").bounding_box()
    room = page.locator("svg").evaluate("(svg) => svg.clientWidth") - 58
    pull(page, "Sweep", -room / 6, drop=False)
    assert data(page)["sweep"] == 20
    page.mouse.move(place["x"] + 2000, place["y"])
    assert data(page)["sweep"] == 60
    assert overlaps(page) == []


def test_another_start_is_another(show):
    page = show("lda")
    before = data(page)["lambda"]
    page.get_by_role("button", name="Another start").click()
    assert data(page)["sweep"] == 0
    page.get_by_role("button", name="Run").click()
    after = data(page)
    assert (after["sweep"], after["seed"]) == (60, 2)
    assert not np.allclose(before, after["lambda"])


def test_the_alt_text_of_lda_is_true(show):
    page = show("lda")
    bounds_of = [data(page)["bound"] / 1000]
    press(page, "Sweep", "Home", *["ArrowRight"] * 3)
    said = alt_text("lda")
    assert "after 30 sweeps of CVB0; 7 of them" in said
    assert f"near {data(page)['bound'] / 1000:.0f} thousand nats for three sweeps" in said
    assert f"rises to {bounds_of[0]:.0f} thousand" in said


@pytest.mark.slow
def test_what_the_chapter_says_of_twenty_starts():
    for seed in range(20):
        draws = np.random.default_rng(seed).gamma(100, 0.01, (10, 25))
        climb = climbed(draws, 60).lower_bounds
        assert climb[-1] - climb[10] < 0.0055 * (climb[-1] - climb[0])
        heights = []
        for sweeps in (0, 3, 60):
            fit = lda.cvb0(INK, 10, 0.1, 0.1, tol=0, max_iter=sweeps, random_state=seed)
            heights.append(lda.elbo(INK, fit.gamma, fit.params.lambda_, 0.1, 0.1))
        assert heights[1] - heights[0] < 0.03 * (heights[2] - heights[0])


if __name__ == "__main__":
    import tempfile

    with chromium() as found, tempfile.TemporaryDirectory() as folder:
        for figure in sys.argv[1:] or FIGURES:
            one = found.new_page(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
            one.goto(write_page(figure, Path(folder)))
            one.wait_for_selector(f"div.figure-{figure}[data-ready]")
            target = PICTURES / f"{figure}.svg"
            target.write_text(as_file(one), encoding="utf-8", newline="\n")
            print(json.dumps({figure: target.stat().st_size}))
