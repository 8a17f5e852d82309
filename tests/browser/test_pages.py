"""The built book, opened from its folder with the network off."""

import json
import re
from urllib.parse import urljoin
from urllib.request import urlopen

import pytest

CHAPTER = "book/chapters/05_em_algorithm.html"
RAW_TEX = re.compile(r"\\(?!n\b|t\b)[a-zA-Z]{2,}|\$\$|\\[()\[\]]")
# Text of the article as one reads it: no listings, no formulas.
READ = """() => {
  const article = document.querySelector("article, .bd-search-container").cloneNode(true);
  article.querySelectorAll("pre, code, math, script, style").forEach((part) => part.remove());
  return article.textContent;
}"""
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
UNSEEN = """() => [...document.querySelectorAll("math")].filter(
  (formula) => formula.checkVisibility() && !formula.getBoundingClientRect().height).length"""
# Names in tables that are broken over lines.
BROKEN = """() => [...document.querySelectorAll("td code")].filter((name) =>
  !/\\s/.test(name.textContent) && name.getClientRects().length > 1
).map((name) => name.textContent)"""
# Where the focus is, and whether an outline shows it, or the ring of a handle in a figure.
FOCUS = """() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  const ring = at.querySelector(":scope > .drag-focus");
  const ringed = ring && !["none", "rgba(0, 0, 0, 0)"].includes(getComputedStyle(ring).stroke);
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return [at.outerHTML.slice(0, 120), outlined || Boolean(ringed)];
}"""


def test_a_page_opens_whole(reader, page_name):
    one = reader()
    page = one.open(page_name)
    assert page.locator(":is(article, .bd-search-container) h1").is_visible()
    assert not RAW_TEX.findall(page.evaluate(READ))
    assert page.locator("merror").count() == 0
    assert page.evaluate(UNSEEN) == 0
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        inside, outside = page.evaluate(WIDTHS)
        assert inside <= outside, f"scrolls sideways at {width} px"
    assert one.problems == []


def test_formulas_are_there_without_scripts(reader):
    page = reader(java_script_enabled=False).open(CHAPTER)
    formula = page.locator("#equation-eq-em-posterior math")
    assert formula.bounding_box()["height"] > 20
    assert formula.locator("mfrac").count() == 1


def test_the_faces_are_loaded(reader):
    page = reader().open(CHAPTER)
    page.evaluate("document.fonts.ready")
    loaded = page.evaluate(
        "[...document.fonts].filter((face) => face.status === 'loaded').map((face) => face.family)"
    )
    assert {name.strip('"') for name in loaded} >= {"Book Serif", "Book Math", "Book Code"}


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("responsibility", "02_marginal_likelihood.html#"),
        ("E-step", "05_em_algorithm.html#"),
        ("KL", "04_jensen_bound.html#"),
        ("EM", "05_em_algorithm.html"),
        ("elbo", "04_jensen_bound.html#"),
        ("GaussianMixture", "api.html#latent_em.GaussianMixture"),
    ],
)
def test_search_leads_to_where_a_term_is_defined(reader, query, place):
    one = reader()
    page = one.open(f"search.html?q={query}")
    first = page.locator(".search-found li").first
    assert place in first.locator("a").get_attribute("href")
    excerpt = first.locator("p").inner_text()
    assert len(excerpt) > 60
    assert not RAW_TEX.search(excerpt)
    assert "import " not in excerpt
    assert one.problems == []


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_the_names_in_the_notation_are_whole(reader, width):
    page = reader(width=width).open("book/notation.html")
    assert page.locator("td code").count() > 50
    assert page.evaluate(BROKEN) == []


def test_notation_glossary_and_ledger_are_one_click_away(reader, page_name):
    page = reader().open(page_name)
    aside = page.get_by_role("navigation", name="Main")
    for name in ("Notation", "Glossary", "The equation ledger"):
        assert aside.get_by_role("link", name=name, exact=True).is_visible()


def test_a_chapter_leads_to_the_ones_beside_it_and_to_its_notebook(reader):
    page = reader().open(CHAPTER)
    page.get_by_label("Download this page").click()
    notebook = page.get_by_role("link", name=".ipynb")
    assert notebook.is_visible()
    file = urlopen(urljoin(page.url, notebook.get_attribute("href")))
    assert json.load(file)["nbformat"] == 4
    page.get_by_role("link", name="previous").click()
    assert page.url.endswith("/04_jensen_bound.html")
    page.get_by_role("link", name="next").click()
    assert page.url.endswith("/05_em_algorithm.html")


def test_search_says_that_it_found_nothing(reader):
    page = reader().open("search.html?q=xyzzy")
    assert page.get_by_role("status").inner_text() == "Nothing was found for “xyzzy”."


def test_what_is_folded_opens(reader):
    page = reader().open(CHAPTER)
    check = page.locator("details.check").first
    assert not check.locator("math").first.is_visible()
    check.locator("summary").press("Enter")
    assert check.locator("math").first.is_visible()
    solution = page.locator(".solution").first
    text = solution.locator("p").last
    assert not text.is_visible()
    solution.get_by_role("button").click()
    assert text.is_visible()


def test_the_steps_of_a_figure_answer_to_the_keyboard(reader):
    page = reader().open(CHAPTER)
    figure = page.locator(".tag_steps").first
    frames, count = figure.locator("img"), figure.locator("output")
    total = frames.count()
    seen = [i for i in range(total) if frames.nth(i).is_visible()]
    assert seen == [0]
    assert count.inner_text() == f"1 of {total}"
    figure.get_by_role("slider").focus()
    for _ in range(total + 1):
        page.keyboard.press("ArrowRight")
    assert [i for i in range(total) if frames.nth(i).is_visible()] == [total - 1]
    assert count.inner_text() == f"{total} of {total}"
    assert figure.locator(".steps-text").inner_text() == frames.last.get_attribute("alt")
    assert figure.get_by_label("Next step").get_attribute("aria-disabled") == "true"
    figure.get_by_label("Previous step").click()
    assert frames.nth(total - 2).is_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboards_place_is_seen(reader, width):
    page = reader(width=width).open(CHAPTER)
    unseen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name, outlined = page.evaluate(FOCUS)
        unseen += [] if outlined else [name]
    assert unseen == []


def test_paper_is_light_and_shows_every_step(reader):
    page = reader(scheme="dark").open(CHAPTER)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    frames = page.locator(".tag_steps").first.locator("img").all()
    assert all(frame.is_visible() for frame in frames)
    assert not page.locator("details.hide summary").first.is_visible()
    assert not page.locator(".solution").first.is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
