"""Formulas in the pages."""

import pytest
from bs4 import BeautifulSoup
from docutils import frontend, nodes, utils
from math_core import LatexError

from latent_em.book import mathml


def test_a_formula_is_read_and_not_its_source():
    converted = BeautifulSoup(mathml.convert("a <\n  b_1"), "html.parser")
    assert converted.math.attrs == {}
    assert converted.get_text() == "a<b1"


def test_limits_below_one_another_as_sympy_prints_them():
    sum_ = r"\sum_{\substack{1 \leq n \leq N\\1 \leq k \leq K}} r"
    rows = BeautifulSoup(mathml.convert(sum_, display=True), "html.parser").select("munder mtr")
    assert [row.get_text() for row in rows] == ["1≤n≤N", "1≤k≤K"]


def test_what_is_not_understood_is_an_error():
    with pytest.raises(LatexError, match="foo"):
        mathml.convert(r"\foo")


def test_each_formula_takes_the_stop_that_touches_it_and_no_other():
    """As MyST makes them, stop and line break are texts of their own, equal to one another."""
    a, b = nodes.math("", "a"), nodes.math("", "b")
    texts = [nodes.Text(text) for text in ("see ", ".", "\n", "If ", ".", "\n", "so (", ").")]
    paragraph = nodes.paragraph("", "", texts[0], nodes.strong("", "this"), *texts[1:4], a)
    paragraph += [*texts[4:7], b, texts[7]]
    document = utils.new_document("", frontend.get_default_settings())
    document += paragraph
    mathml.GluePunctuation(document).run()
    glued = [inline.astext() for inline in document.findall(nodes.inline)]
    assert glued == ["a.", "(b)."]
    assert paragraph.astext() == "see this.\nIf a.\nso (b)."


def test_a_heading_is_read_out():
    assert mathml.read_out(r"Without \phi, and with \hat\alpha") == r"Without ϕ, and with \hatα"
