"""The faces of the pages, cut down to the characters that they need.

Source Serif for text, Source Code for listings and STIX Two for mathematics come from PyPI, each
under the SIL Open Font License, and keep their copyright and licence in their own tables. What is
cut down may not bear the name "Source", so it bears none; ``book.css`` calls the files
Book Serif, Book Code and Book Math.
"""

import html
import logging
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

FACES = {
    "serif": ("font_source_serif_pro", "files/SourceSerifPro-Regular.ttf"),
    "serif-italic": ("font_source_serif_pro", "files/SourceSerifPro-It.ttf"),
    "serif-bold": ("font_source_serif_pro", "files/SourceSerifPro-Semibold.ttf"),
    "serif-bold-italic": ("font_source_serif_pro", "files/SourceSerifPro-SemiboldIt.ttf"),
    "code": ("fontpkg_source_code_pro", "files/SourceCodePro[wght].ttf"),
    "math": ("ziamath", "fonts/STIXTwoMath-Regular.ttf"),
}
PINNED = {"code": {"wght": 400}}
# Single letters in <mi> are drawn in italics, which have code points of their own.
LETTERS = "U+20-7E,U+391-3C9,U+1D434-1D467,U+210E,U+1D6E2-1D71B"
NAMES = [0, 13, 14]  # copyright, licence and where the licence is found
# Thickness of rules in thousandths of the size: one pixel, which stays one wherever it falls.
RULE = 54
FEATURES = ["kern", "liga", "lnum", "onum", "tnum", "ssty", "dtls", "flac"]


def cut(face, unicodes, axes=None):
    """Keep some characters of a face.

    Parameters
    ----------
    face : path-like
    unicodes : iterable of int
    axes : dict, optional
        Where a variable face is pinned.

    Returns
    -------
    woff2 : bytes
    """
    options = subset.Options(
        drop_tables=["STAT"],
        hinting=False,
        layout_features=FEATURES,
        name_IDs=NAMES,
        notdef_outline=True,
    )
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=unicodes)
    with open(face, "rb") as file:
        font = TTFont(BytesIO(file.read()))
    subsetter.subset(font)
    if "MATH" in font:
        for rule in ("FractionRuleThickness", "RadicalRuleThickness"):
            getattr(font["MATH"].table.MathConstants, rule).Value = RULE
    if axes:
        font = instantiateVariableFont(TTFont(BytesIO(_saved(font))), axes)
        font["name"].names = [name for name in font["name"].names if name.nameID in NAMES]
    return _saved(font, "woff2")


def _saved(font, flavor=None):
    """Bytes of a font file."""
    font.flavor = flavor
    data = BytesIO()
    font.save(data)
    return data.getvalue()


def write_fonts(app, error):
    """Put the faces beside the pages."""
    if error or app.builder.format != "html":
        return
    root = Path(app.outdir)
    drawn = (root / "_static" / "figures").glob("*.js")  # scripts that write into the pages
    pages = (page.read_text(encoding="utf-8") for page in [*root.rglob("*.html"), *drawn])
    used = {ord(character) for character in set().union(*map(html.unescape, pages))}
    used.update(subset.parse_unicodes(LETTERS))
    folder = root / "_static" / "fonts"
    folder.mkdir(parents=True, exist_ok=True)
    for name, (package, file) in FACES.items():
        face = Path(find_spec(package).origin).parent / file  # the package is not run
        (folder / f"{name}.woff2").write_bytes(cut(face, used, PINNED.get(name)))


def setup(app):
    """Write the faces when the pages are there."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    app.connect("build-finished", write_fonts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
