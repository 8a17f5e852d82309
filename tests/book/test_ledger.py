import subprocess
import sys

import nbformat.v4 as nbf
import pytest

from latent_em.book import ledger, notebooks

PAGES = ledger.read_book()
ENTRIES = ledger.entries(PAGES)
EQUATION = "# A chapter\n\n$$\na = b_{nk} - c\n$$ (eq-a)"
LATEX = "a = b_{nk} - c"


def stored(label, kind="identity", claim="a = b", rests_on=()):
    """The cell of a check that was executed."""
    name = next(name for name, k in ledger.KINDS.items() if k == kind)
    record = {"label": label, "kind": kind, "word": "proved", "scope": "K = 3", "result": "2 steps"}
    record |= {"domain": "any N", "rests_on": list(rests_on)}
    output = nbf.new_output("display_data", {ledger.MIMETYPE: record | {"claim": claim}})
    source = f'check.{name}("{label}", one, two)'
    return nbf.new_code_cell(source, execution_count=1, outputs=[output])


def pinned(cell, **pins):
    cell.metadata["ledger"] = {f"eq-{key}": ledger.fingerprint(tex) for key, tex in pins.items()}
    return cell


def sound():
    return [nbf.new_markdown_cell(EQUATION), pinned(stored("eq-a"), a=LATEX)]


@pytest.fixture
def book(tmp_path):
    """Writes chapters from lists of cells and reads them."""

    def write(*chapters):
        folder = tmp_path / "book" / "chapters"
        folder.mkdir(parents=True, exist_ok=True)
        for number, cells in enumerate(chapters, start=1):
            notebooks.write(folder / f"0{number}.ipynb", nbf.new_notebook(cells=cells))
        return ledger.read_book(tmp_path / "book")

    return write


# --- the book's own ledger ----------------------------------------------------------------------


def test_the_book_has_a_ledger_without_problems():
    assert ENTRIES
    assert ledger.problems(PAGES) == []


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.label)
def test_every_change_of_a_labelled_equation_is_a_problem(entry):
    for old, new in [("+", "-"), ("-", "+"), ("=", r"\ne"), ("n", "k"), ("k", "n"), ("}", "}}")]:
        changed = entry.latex.replace(old, new, 1)
        if changed == entry.latex:
            continue
        pages = [
            page._replace(
                equations=[
                    e._replace(latex=changed) if e.label == entry.label else e
                    for e in page.equations
                ]
            )
            for page in PAGES
        ]
        (found,) = set(ledger.problems(pages)) - set(ledger.problems(PAGES))
        assert f"{entry.label}: its LaTeX changed since it was pinned" in found


def test_the_page_shows_every_equation_as_it_stands_and_what_was_read():
    page = ledger.page_markdown(PAGES)
    for e in ENTRIES:
        assert f"{{eq}}`{e.label}`" in page
        assert f"$$\n{e.latex}\n$$\n" in page
        assert f"$$\n{e.claim}\n$$\n" in page or e.kind == "definition"
    assert "% of the checks" in page


# --- every kind of problem ----------------------------------------------------------------------


def test_a_sound_chapter_has_no_problems(book):
    pages = book(sound())
    assert ledger.problems(pages) == []
    (entry,) = ledger.entries(pages)
    assert entry == ledger.Entry(
        *("eq-a", LATEX, "identity", "K = 3", "2 steps", "a = b", "book/chapters/01", 1),
        *("proved", "any N"),
    )


def text(source):
    return nbf.new_markdown_cell(source)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([*sound(), text("$$\nx = 1\n$$ (eq-b)")], "eq-b: no check in this notebook"),
        ([*sound(), stored("eq-b")], "cell 2 checks eq-b, which is in no notebook"),
        ([text(EQUATION), *sound()], "eq-a: defined 2 times, in "),
        (sound()[::-1], "eq-a: checked in cell 0, before it is shown in 1"),
        ([*sound(), text("$$\nx = 1\n$$")], "cell 2: a display equation without"),
        ([*sound(), text("so $$x = 1$$ holds")], "cell 2: a display equation without"),
        ([*sound(), text("> quote\n>\n> $$\n> x = 1\n> $$")], "cell 2: a display equation without"),
        ([*sound(), text("\\begin{align}\nx = 1\n\\end{align}")], "a display equation without"),
        ([*sound(), text("```{math}\nx = 1\n```")], "a display equation without"),
        ([*sound(), text(":::{note}\n$$\nx = 1\n$$ (eq-b)\n:::")], "eq-b: no check"),
        ([*sound(), text("````{note}\n```{tip}\n$$x$$ (eq-b)\n```\n````")], "eq-b: no check"),
        ([text(EQUATION), stored("eq-a")], "eq-a: it has no pin"),
        ([text(EQUATION), pinned(stored("eq-a"), a=LATEX + "d")], "eq-a: its LaTeX changed"),
        ([text(EQUATION), pinned(stored("eq-a"), a=LATEX, b="x")], "pins eq-b, which it does not"),
    ],
)
def test_each_problem_is_found(book, cells, message):
    (found,) = ledger.problems(book(cells))
    assert message in found


def test_every_character_counts(book):
    for place, character in enumerate(LATEX):
        changed = LATEX[:place] + ("z" if character != "z" else "y") + LATEX[place + 1 :]
        (found,) = ledger.problems(book([text(EQUATION.replace(LATEX, changed)), sound()[1]]))
        assert "eq-a: its LaTeX changed" in found
    spaced = EQUATION.replace(" - ", "  -\n")
    assert ledger.problems(book([text(spaced), sound()[1]])) == []


def refuting(*calls):
    return nbf.new_code_cell("\n    ".join(["with check.refuted():", *calls]), execution_count=1)


def test_a_refuted_claim_needs_no_equation(book):
    claim = refuting('check.identity("a slip", one, two)')
    pages = book([*sound(), claim])
    assert ledger.problems(pages) == []
    assert len(ledger.entries(pages)) == 1
    assert ledger.entries(pages) == ledger.entries(book(sound()))


def test_a_refuted_claim_is_no_check_of_an_equation(book):
    claim = refuting('check.identity("eq-a", one, two)')
    pinned(claim, a=LATEX)
    found = ledger.problems(book([text(EQUATION), claim]))
    assert "book/chapters/01: eq-a: no check in this notebook" in found
    message = "cell 1: refutes eq-a, which is the label of an equation"
    assert f"book/chapters/01: {message}" in found
    assert "book/chapters/01: cell 1: pins eq-a, which it does not check" in found


@pytest.mark.parametrize(
    ("calls", "count"),
    [
        (['check.identity("one", a, b)', 'check.identity("two", c, d)'], 2),
        (["assert sides == 2"], 0),
    ],
)
def test_a_block_refutes_one_claim(book, calls, count):
    (found,) = ledger.problems(book([*sound(), refuting(*calls)]))
    assert f"cell 2: a block that refutes a claim has {count} checks, must have 1" in found


def test_a_check_after_a_refuted_claim_is_one(book):
    cells = sound()
    slip = refuting('check.minimum("slip", f, at={})')
    cells[1].source = f"{slip.source}\n{cells[1].source}"
    assert ledger.problems(book(cells)) == []
    cells[1].outputs = []
    (found,) = ledger.problems(book(cells))
    assert "the identity check of eq-a has no stored result" in found


def test_a_stored_result_of_a_refuted_claim_is_a_problem(book):
    claim = stored("a slip")
    claim.source = refuting(claim.source).source
    (found,) = ledger.problems(book([*sound(), claim]))
    assert "stores a result for a slip (identity) that no call in it makes" in found


def test_a_check_in_another_notebook_is_found(book):
    found = ledger.problems(book(sound()[:1], sound()[1:]))
    assert "book/chapters/01: eq-a: no check in this notebook" in found
    message = "cell 0 checks eq-a, which is in book/chapters/01 cell 0"
    assert f"book/chapters/02: {message}" in found


def test_results_and_calls_must_agree(book):
    cells = sound()
    cells[1].outputs = []
    (found,) = ledger.problems(book(cells))
    assert "the identity check of eq-a has no stored result" in found
    cells = sound()
    cells[1].source = 'check.maximum("eq-a", f, at={})'
    found = ledger.problems(book(cells))
    assert any("stores a result for eq-a (identity) that no call in it makes" in f for f in found)
    cells = sound()
    cells[1].source = '%time\nprint("check.identity is not called")'
    assert any("eq-a: no check" in f for f in ledger.problems(book(cells)))


def test_a_check_may_be_made_in_a_loop(book):
    cells = sound()
    cells[1].source = f"for K in (2, 3):\n    {cells[1].source}"
    cells[1].outputs *= 2
    assert ledger.problems(book(cells)) == []


def test_a_side_compared_with_its_own_source_is_found(book):
    cells = sound()
    cells[1].source = 'check.identity("eq-a", log(a), log( a ))'
    (found,) = ledger.problems(book(cells))
    assert "eq-a: its check compares an expression with itself" in found


def test_too_many_definitions_are_found(book):
    weak = [
        text("$$\nx = 1\n$$ (eq-b)"),
        pinned(stored("eq-b", "definition"), b="x = 1"),
    ]
    (found,) = ledger.problems(book(sound() + weak))
    assert "definitions are 50% of the checks" in found
    many = [
        cell
        for i in range(6)
        for cell in (
            text(f"$$\ny = {i}\n$$ (eq-{i})"),
            pinned(stored(f"eq-{i}"), **{str(i): f"y = {i}"}),
        )
    ]
    assert ledger.problems(book(sound() + many + weak)) == []


def test_an_equation_counts_by_its_weakest_check():
    one = ledger.Entry("eq-a", "", "identity", "", "", "", "", 0, "proved")
    found = [one, one._replace(word="numeric"), one._replace(label="eq-b", scope="K = 3")]
    found += [one._replace(label="eq-c", word="strict local maximum"), one._replace(label="eq-d")]
    assert ledger.words(found) == {
        "numeric": 1,
        "proved in a special case": 1,
        "strict local optimum": 1,
        "proved": 1,
    }


def test_what_a_check_rests_on_is_listed_and_must_be_there(book):
    def resting(label, *on):
        cell = pinned(stored(label, rests_on=on), **{label[3:]: "x = 1"})
        return [text(f"$$\nx = 1\n$$ ({label})"), cell]

    good = book([*sound(), *resting("eq-b", "eq-a", "Fubini")])
    assert ledger.problems(good) == []
    page = ledger.page_markdown(good)
    assert ledger.rests_on(ledger.entries(good)) == {"eq-a": ["eq-b"], "Fubini": ["eq-b"]}
    assert '<svg class="foundations"' in page
    assert "2 steps; by {eq}`eq-a`; by Fubini." in page
    (found,) = ledger.problems(book([*sound(), *resting("eq-b", "eq-c")]))
    assert found == "eq-b: rests on eq-c, which is in no notebook"
    circle = ledger.problems(book([*resting("eq-b", "eq-c"), *resting("eq-c", "eq-b")]))
    assert set(circle) == {"eq-b: rests on itself", "eq-c: rests on itself"}


def test_labels_in_pages_without_code_are_found(book, tmp_path):
    book(sound())
    (tmp_path / "book" / "notation.md").write_text("$$\nx = 1\n$$ (eq-b)\n\n$$\nfree\n$$")
    (found,) = ledger.problems(ledger.read_book(tmp_path / "book"))
    assert "eq-b: no check" in found


# --- order, pins and page -----------------------------------------------------------------------


def test_pages_come_in_the_order_of_the_contents(book, tmp_path):
    (tmp_path / "_toc.yml").write_text(
        "root: book/chapters/03\nparts:\n- chapters:\n  - file: book/chapters/02\n"
    )
    names = [page.name[-2:] for page in book([], [], [])]
    assert names == ["03", "02", "01"]


def test_the_page_is_about_the_published_book():
    published = {e for e in ENTRIES if e.notebook in ledger.contents()}
    assert published
    count = len({e.label for e in published})
    assert ledger.page_markdown().startswith(f"Labelled equations: {count} (")


def test_pinning_names_its_labels_and_changes_nothing_else(book, tmp_path):
    book([text(EQUATION), stored("eq-a"), text("$$\nx = 1\n$$ (eq-b)"), stored("eq-b")])
    path = tmp_path / "book" / "chapters" / "01.ipynb"
    before = notebooks.read(path)
    ledger.pin(["eq-a"], tmp_path / "book")
    after = notebooks.read(path)
    assert after.cells[1].metadata.pop("ledger") == {"eq-a": ledger.fingerprint(LATEX)}
    assert after == before
    with pytest.raises(ValueError, match="label: got 'eq-c'"):
        ledger.pin(["eq-c"], tmp_path / "book")


def test_a_pin_is_twelve_digits_that_ignore_white_space():
    assert ledger.fingerprint("a = b\n  + c") == ledger.fingerprint("a  = b + c")
    assert ledger.fingerprint("a = b") != ledger.fingerprint("a = -b")
    assert len(ledger.fingerprint("a")) == 12


def test_the_page_of_a_small_book(book):
    page = ledger.page_markdown(book(sound()))
    assert page == (
        "Labelled equations: 1 (proved in a special case 1). "
        "Checks: 1 (identity 1, inequality 0, stationary point 0, quadrature 0, "
        "definition 0). Definitions are 0% of the checks, "
        "at most 15% are allowed.\n\n"
        "| Chapter | proved in a special case |\n| --- | ---: |\n| [](/book/chapters/01) | 1 |\n\n"
        "## {doc}`A chapter </book/chapters/01>`\n\n"
        ":::{dropdown} {eq}`eq-a` eq-a: proved, K = 3\n\n"
        "Equation {eq}`eq-a` of the book is\n\n"
        f"$$\n{LATEX}\n$$\n\n**identity**; proved; K = 3; any N; 2 steps. "
        "Read by the machine as\n\n$$\na = b\n$$\n\n:::\n"
    )


def test_the_command_says_how_to_use_it():
    command = [sys.executable, "-m", "latent_em.book.ledger", "pin"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage" in done.stderr
