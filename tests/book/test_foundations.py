import xml.etree.ElementTree as ET

from latent_em.book import foundations

RESTS = {"Fubini & Tonelli": ["eq-b", "eq-c"], "eq-b": ["eq-c"]}
AT = {"eq-b": "a.html#b", "eq-c": "a.html#c"}


def test_each_foundation_and_each_label_is_drawn_once_on_its_side():
    drawing = ET.fromstring(foundations.svg(RESTS, AT, "What rests on what"))
    texts = [(t.text, t.get("text-anchor")) for t in drawing.iter("text")]
    assert texts == [
        ("Fubini & Tonelli", "end"),
        ("eq-b", "end"),
        ("eq-b", "start"),
        ("eq-c", "start"),
    ]
    assert [a.get("href") for a in drawing.iter("a")] == ["a.html#b", "a.html#b", "a.html#c"]
    assert drawing.get("aria-label") == "What rests on what"
    assert drawing.get("role") == "group"  # an image would hide its links


def test_a_curve_joins_what_rests_with_what_it_rests_on():
    drawing = ET.fromstring(foundations.svg(RESTS, AT, ""))
    heights = {(t.text, t.get("text-anchor")): int(t.get("y")) - 4 for t in drawing.iter("text")}
    joined = {
        tuple(int(p.split()[-1].split("C")[0]) for p in (d.split("C")[0], d))
        for d in (path.get("d") for path in drawing.iter("path"))
    }
    assert joined == {
        (heights[below, "end"], heights[above, "start"])
        for below, labels in RESTS.items()
        for above in labels
    }


def test_nothing_is_drawn_of_nothing():
    assert foundations.svg({}, {}, "") == ""
