"""What rests on what, drawn: theorems and equations on the left, what rests on them on the right.

One picture a chapter, static SVG that the ledger page holds, each equation a link to its place.
"""

from html import escape

ROW, LETTER, GAP, MARGIN = 22, 7.2, 160, 6  # heights and widths in pixels


def svg(rests_on: dict[str, list[str]], targets: dict[str, str], name: str) -> str:
    """Draw which labels rest on which foundations.

    Parameters
    ----------
    rests_on : dict
        From theorem, rule or label to the labels that rest on it.
    targets : dict
        From label to the address of its equation.
    name : str
        What the picture is of, for those who do not see it.

    Returns
    -------
    str
        The element; empty when nothing rests on anything.
    """
    above = list(dict.fromkeys(label for labels in rests_on.values() for label in labels))
    if not above:
        return ""
    left = {below: _line(place) for place, below in enumerate(rests_on)}
    # what rests on the same things stands beside them: few lines cross
    order = sorted(above, key=lambda a: sum(y for b, y in left.items() if a in rests_on[b]))
    order.sort(key=lambda a: min(y for b, y in left.items() if a in rests_on[b]))
    right = {label: _line(place) for place, label in enumerate(order)}
    start = MARGIN + LETTER * max(map(len, left))
    end = start + GAP
    width, height = end + LETTER * max(map(len, right)) + MARGIN, _line(max(len(left), len(right)))
    curves = [
        f'<path d="M{start + 4:.0f} {left[b]}C{start + GAP / 2:.0f} {left[b]} '
        f'{end - GAP / 2:.0f} {right[a]} {end - 4:.0f} {right[a]}"/>'
        for b, labels in rests_on.items()
        for a in labels
    ]
    words = [_text(b, start, y, "end", targets) for b, y in left.items()]
    words += [_text(a, end, y, "start", targets) for a, y in right.items()]
    return (
        f'<svg class="foundations" role="group" aria-label="{escape(name)}" '
        f'viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" '
        'font-size="13" style="max-width: 100%">'
        f'<g fill="none" stroke="currentColor" opacity="0.5">{"".join(curves)}</g>'
        f'<g fill="currentColor">{"".join(words)}</g></svg>'
    )


def _line(place: int) -> int:
    return ROW * place + ROW // 2


def _text(name, x, y, anchor, targets):
    text = f'<text x="{x:.0f}" y="{y + 4}" text-anchor="{anchor}">{escape(name)}</text>'
    return f'<a href="{escape(targets[name])}">{text}</a>' if name in targets else text
