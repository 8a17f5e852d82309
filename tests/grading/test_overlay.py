import grading_suite as suite

from latent_em.grading import notebooks, overlay, release


def taken(change, cut):
    reference = notebooks.exercises(suite.NAME, cut)
    made = change(suite.cut(cut))
    return overlay.take(made["cells"], reference), reference


def sources(notebook):
    return [cell.source for cell in notebook.cells]


def test_only_answers_are_taken(cut):
    submission, reference = taken(
        suite.both(
            suite.effective("return 'mine'"),
            suite.added("evil = 1"),
            lambda n: suite.cell(n, "is-setup").update(source="evil = 2") or n,
            lambda n: suite.cell(n, "is-effective-check").update(source="evil = 3") or n,
        ),
        cut,
    )
    made = overlay.assemble(submission, reference, "is-effective-check")
    assert sources(made) == [
        reference.setup["is-setup"],
        suite.function("effective_draws", "log_weights", "return 'mine'"),
        reference.checks["is-effective-check"].source,
    ]
    assert not any(cell.outputs for cell in made.cells)


def test_a_check_gets_the_answers_it_needs_and_those_that_they_need(cut):
    submission, reference = taken(suite.HONEST["a helper in another answer"].change, cut)
    needed = overlay.needed(submission.answers, reference, "is-effective-check")
    assert needed == ["is-log-mean", "is-effective"]
    needed = overlay.needed(submission.answers, reference, "is-draws-growth-check")
    assert needed == ["is-draws"]


def test_of_split_and_copied_cells_all_run_in_order(cut):
    submission, _ = taken(suite.HONEST["an old attempt in a copy"].change, cut)
    first, second = submission.answers["is-effective"]
    assert "return 1" in first
    assert "relative" in second


def test_what_was_done_to_checks_is_noted(cut):
    submission, _ = taken(suite.drop_checks, cut)
    assert "is-draws-check: the check was deleted; the original is run" in submission.notes
    submission, _ = taken(suite.for_all_checks(source="pass"), cut)
    assert "is-draws-check: the check was changed; the original is run" in submission.notes
    assert taken(lambda n: n, cut)[0].notes == ()


def test_every_check_of_the_book_builds_its_own_inputs():
    """Of other cells it uses answers alone, of which the names are known."""
    from latent_em.book.notebooks import BOOK

    for name, notebook in release.reference(BOOK).items():
        found = notebooks.exercises(name, notebook)
        answers = {key: (text,) for key, text in found.answers.items()}
        given = set().union(*(notebooks.names(text)[0] for text in found.setup.values()))
        for key, check in found.checks.items():
            needed = overlay.needed(answers, found, key)
            assert check.exercise in needed
            there = given.union(*(notebooks.names(found.answers[k])[0] for k in needed))
            own, used = notebooks.names(check.source)
            elsewhere = {
                known: other
                for other, one in found.checks.items()
                if other != key
                for known in notebooks.names(one.source)[0]
            }
            borrowed = (used - own - there) & set(elsewhere) - set(_inner(check.source))
            assert not borrowed, f"{key} uses {borrowed} of another check"
        assert sum(text.count("\nSEED = ") for text in found.setup.values()) == 1, name


def _inner(text):
    import ast

    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
