"""What the theme brings along and no page needs is left out when the book is built.

Icons are characters of a font, of which only those in use stay, so that no script draws them.
Source maps, translations and whatever else nothing names are deleted. Pictures have a size, so that
the text does not jump, and are loaded when they come into sight. The notebooks for download carry
no pictures; running them draws them.
"""

import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from PIL import Image

from latent_em.book.fonts import cut

ICON_FONT = Path("vendor", "fontawesome", "webfonts", "fa-solid-900.woff2")
# In the theme's style sheet: an icon; faces with other icons, or in other formats; code points.
ICON = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\[0-9a-f]+"\}')
OTHER_FACE = re.compile(
    r'@font-face\{[^}]*fa-(?:regular|brands)[^}]*\}|,url\([^)]*\.ttf\) format\("truetype"\)'
)
CODE = re.compile(r'"(?:\\([0-9a-f]{4})|([\ue000-\uf8ff]))"')
NAME = re.compile(r"fa-[\w-]+")
SOURCE_MAP = re.compile(r"\s*/[/*]# sourceMappingURL=\S+( \*/)?\s*$")
PICTURE = re.compile(r'<img(?=[^>]* src="([^"]*_images/[^"]+\.(?:png|svg))")(?![^>]* width=)')
# In a drawing: its size in points, and what a reader does not see.
POINTS = re.compile(r'<svg[^>]* width="([\d.]+)pt" height="([\d.]+)pt"')
XLINK = ' xmlns:xlink="http://www.w3.org/1999/xlink"'
UNSEEN = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL)
DIGITS = re.compile(r"(?<![\d.])([1-9]\d*\.\d\d)\d+")  # small numbers are factors, and stay
PATH = re.compile(r' d="[^"]*"')
STYLE = re.compile(r' style="[^"]*"')
TARGET = re.compile(r' id="([^"]*)"')
POINTER = re.compile(r'(href="#|url\(#)([^")]+)')
# In a listing: what the style sheet gives no colour needs no span, and signs need no colour.
LISTING = re.compile(r'<div class="highlight"><pre>.*?</pre>', re.DOTALL)
PLAIN = re.compile(r'<span class="(?:n|o|p|w)">([^<]*)</span>')
PAGE = {
    r'\s*<script src="[^"]*fontawesome\.js[^"]*"></script>': "",
    # First visit: the theme complains of the mode "", and shows a dark page light for a moment.
    r'(getItem\("mode"\) \|\|) ""': r'\1 "auto"',
    r'(getItem\("theme"\) \|\|) ""': (
        r'\1 (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")'
    ),
}


def slim(app, error):
    """Go through the pages and what lies beside them."""
    if error or app.builder.format != "html":
        return
    root = Path(app.outdir)
    static = root / "_static"
    for page in root.rglob("*.html"):
        rewrite(page, slim_page(page))
    for file in [*static.rglob("*.css"), *static.rglob("*.js")]:
        rewrite(file, SOURCE_MAP.sub("", read(file)))
    for drawing in (root / "_images").glob("*.svg"):
        rewrite(drawing, slim_drawing(read(drawing)))
    slim_icons(root)
    delete_unnamed(root)
    for notebook in (root / "_sources").rglob("*.ipynb"):
        rewrite(notebook, without_pictures(read(notebook)))


def read(file):
    """Text of a file."""
    return file.read_text(encoding="utf-8")


def rewrite(file, text):
    """Replace the text of a file."""
    file.write_text(text, encoding="utf-8")


def slim_page(page):
    """Text of a page without the script for icons, and with pictures that wait for their turn."""

    def wait(match):
        size = picture_size((page.parent / unquote(match[1])).resolve())
        return f'<img loading="lazy" width="{size[0]}" height="{size[1]}"' if size else match[0]

    text = read(page)
    for old, new in PAGE.items():
        text = re.sub(old, new, text)
    text = LISTING.sub(lambda listing: PLAIN.sub(r"\1", listing[0]), text)
    return PICTURE.sub(wait, text)


@cache
def picture_size(file):
    """Width and height of a picture in pixels; None for a drawing that has none in points."""
    if file.suffix == ".svg":
        found = POINTS.search(read(file))
        return found and [round(float(points) * 4 / 3) for points in found.groups()]
    with Image.open(file) as picture:
        return picture.size


def slim_drawing(text):
    """Text of a drawing to a hundredth of a point, without what is not seen."""
    text = re.sub(r">\s+<", "><", re.sub(r"\s+", " ", UNSEEN.sub("", text))).strip()
    text = PATH.sub(tight, DIGITS.sub(r"\1", text))
    text = STYLE.sub(lambda style: re.sub(r"([:;]) ", r"\1", style[0]), text)
    text = text.replace("xlink:href=", "href=").replace(XLINK, "")
    used = dict.fromkeys(name for _, name in POINTER.findall(text))
    names = {name: f"i{place}" for place, name in enumerate(used)}
    text = TARGET.sub(lambda name: f' id="{names[name[1]]}"' if name[1] in names else "", text)
    return POINTER.sub(lambda name: name[1] + names[name[2]], text)


def tight(path):
    """Path of a drawing without the digits and spaces that it does not need."""
    path = re.sub(r"(\.\d\d)\d+", r"\1", path[0])
    path = re.sub(r"\.0+(?!\d)|(\.\d)0(?!\d)", r"\1", path)
    return " " + re.sub(r" ?([A-Za-z]) ?| (-)", r"\1\2", path).strip()


def slim_icons(root):
    """Keep the icons that a page or a style names."""
    pages = {name for page in root.rglob("*.html") for name in NAME.findall(read(page))}
    codes = set()
    for sheet in (root / "_static").rglob("*.css"):
        text = OTHER_FACE.sub("", read(sheet))
        text = ICON.sub(lambda rule: rule[0] if {*NAME.findall(rule[1])} & pages else "", text)
        codes |= {int(code, 16) if code else ord(sign) for code, sign in CODE.findall(text)}
        rewrite(sheet, text)
    font = root / "_static" / ICON_FONT
    font.write_bytes(cut(font, codes))


def delete_unnamed(root):
    """Delete the files beside the pages whose name stands in no page, style or other script."""
    static = root / "_static"
    namers = [page for page in root.rglob("*.html") if static not in page.parents]
    namers += [*static.rglob("*.css"), *static.rglob("*.js")]
    texts = {file: read(file) for file in namers}
    for file in sorted(static.rglob("*"), reverse=True):
        if file.is_dir():
            if not any(file.iterdir()):
                file.rmdir()
        elif not any(file.name in text for namer, text in texts.items() if namer != file):
            file.unlink()


def without_pictures(notebook):
    """Text of a notebook without the pictures among its outputs."""
    cells = json.loads(notebook)
    for cell in cells["cells"]:
        for output in cell.get("outputs", []):
            for kind in [kind for kind in output.get("data", {}) if kind.startswith("image/")]:
                del output["data"][kind]
    return json.dumps(cells, ensure_ascii=False, indent=1) + "\n"


def setup(app):
    """Come last, after all else has been written."""
    app.connect("build-finished", slim, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
