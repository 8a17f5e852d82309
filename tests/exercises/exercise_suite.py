"""What every exercise is held to, with the wrong answers by name and the right ones of a notebook.

Set-up, answers and check run here in one go, without a kernel, as the official grade lays them
out. An answer is the text that a student writes where the cell says YOUR CODE HERE, or the whole
definition.
"""

import contextlib
import functools
import io
import textwrap
import warnings
from collections.abc import Mapping

import nbformat

from latent_em.book.notebooks import BOOK
from latent_em.grading import notebooks, overlay, points, release

BLANK = "# YOUR CODE HERE\n{0}raise NotImplementedError()"
SEEDS = range(20)


@functools.cache
def read(name):
    """Return the exercises of a notebook, and the answer cells as students get them."""
    notebook = nbformat.read(BOOK / "exercises" / f"{name}.ipynb", as_version=4)
    blank = notebooks.exercises(name, release.blank(notebook))
    cells = {notebooks.grade_id(c): c.source for c in release.blank(notebook).cells}
    return notebooks.exercises(name, notebook), {key: cells[key] for key in blank.answers}


def fill(cell, answer):
    """Write an answer into a blank cell."""
    for indent in ("    ", ""):
        if indent + BLANK.format(indent) in cell:
            text = textwrap.indent(textwrap.dedent(answer).strip("\n"), indent)
            return cell.replace(indent + BLANK.format(indent), text)
    raise ValueError(f"no place for an answer in {cell!r}")


def run(found, check, answer, seed, *, asserts=True):
    """Run a check on an answer, beside the right ones to all others.

    Return what it printed, and its error or None.
    """
    setup = {key: notebooks.with_seed(text, seed) for key, text in found.setup.items()}
    answers = {key: (text,) for key, text in (found.answers | {check.exercise: answer}).items()}
    notebook = overlay.assemble(
        overlay.Submission(answers), found._replace(setup=setup), check.grade_id
    )
    said, space = io.StringIO(), {}
    with contextlib.redirect_stdout(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for cell in notebook.cells:
                exec(compile(cell.source, "cell", "exec", optimize=0 if asserts else 1), space)
        except Exception as error:
            return said.getvalue(), error
    return said.getvalue(), None


class Answers:
    """The tests of one notebook.

    ``right`` maps the grade_id of an exercise to answers by name; ``wrong`` maps it to pairs, the
    answer and words of the hint that it must get. ``unreached`` are hints that stand for slips
    made in many ways, mostly behind another hint.
    """

    name: str
    right: Mapping[str, Mapping[str, str]]
    wrong: Mapping[str, Mapping[str, tuple[str, str]]]
    unreached = frozenset()

    @classmethod
    def pytest_generate_tests(cls, metafunc):
        """Run a test once for every exercise, or for every answer to it."""
        if "named" in metafunc.fixturenames:
            answers = cls.wrong if "wrong" in metafunc.function.__name__ else cls.right
            pairs = [(key, named) for key in answers for named in answers[key]]
            metafunc.parametrize(("key", "named"), pairs)
        elif "key" in metafunc.fixturenames:
            metafunc.parametrize("key", read(cls.name)[0].answers)

    def verdicts(self, key, answer, seed, **how):
        """Return, for every check of an exercise, the check, what it printed, and the error."""
        found, _ = read(self.name)
        checks = [check for check in found.checks.values() if check.exercise == key]
        return [(check, *run(found, check, answer, seed, **how)) for check in checks]

    def solved(self, key):
        """Return the names that the right answer to an exercise defines."""
        found, _ = read(self.name)
        space = {}
        for text in (*found.setup.values(), found.answers[key]):
            exec(text, space)
        return space

    def cell(self, key, answer):
        """Return the answer cell with an answer written into it, or in its place."""
        blank = read(self.name)[1][key]
        start = blank.partition("(")[0] + "("
        return answer if f"\n{start}" in f"\n{answer}" else fill(blank, answer)

    def test_an_exercise_has_wrong_and_right_answers(self, key):
        assert len(self.wrong[key]) >= 3
        assert len(self.right[key]) >= 2

    def test_a_wrong_answer_fails_with_its_hint(self, key, named):
        answer, hint = self.wrong[key][named]
        for seed in SEEDS[::6]:
            verdicts = self.verdicts(key, self.cell(key, answer), seed)
            check, error = next(((c, e) for c, _, e in verdicts if e), (None, None))
            assert check, f"it passes with seed {seed}"
            assert hint in str(error), repr(error)
            assert str(error) in points.hints(check.source)

    def test_what_a_wrong_answer_prints_gives_it_away(self, key, named):
        """An answer can disarm the assertions, but not print numbers that it does not compute."""
        answer, _ = self.wrong[key][named]
        right = self.verdicts(key, read(self.name)[0].answers[key], 12)
        wrong = self.verdicts(key, self.cell(key, answer), 12, asserts=False)
        pairs = zip(right, wrong, strict=True)
        assert any(w[2] or points.compare(r[1], w[1]) for r, w in pairs)

    def test_another_right_answer_passes(self, key, named):
        answer = self.cell(key, self.right[key][named])
        for seed in SEEDS[::6]:
            rights = self.verdicts(key, read(self.name)[0].answers[key], seed)
            others = self.verdicts(key, answer, seed)
            for (_, printed, _), (_, said, error) in zip(rights, others, strict=True):
                assert error is None
                assert points.compare(printed, said) == ""

    def test_the_reference_passes_with_every_seed_and_prints_other_numbers(self, key):
        answer, printed = read(self.name)[0].answers[key], {}
        for seed in SEEDS:
            for check, said, error in self.verdicts(key, answer, seed):
                assert error is None, f"seed {seed}"
                printed.setdefault(check.grade_id, set()).add(said)
        for said in printed.values():
            assert len(said) > len(SEEDS) // 2

    def test_a_blank_exercise_fails_because_it_is_not_answered(self, key):
        for _, _, error in self.verdicts(key, read(self.name)[1][key], 0):
            assert isinstance(error, NotImplementedError)

    def test_every_hint_is_reached_by_a_wrong_answer(self):
        reached = {
            str(error)
            for key in self.wrong
            for answer, _ in self.wrong[key].values()
            for _, _, error in self.verdicts(key, self.cell(key, answer), 12)
        }
        checks = read(self.name)[0].checks.values()
        every = set().union(*(points.hints(check.source) for check in checks))
        assert every - reached == set(self.unreached)
