"""axe-core has nothing to say about any page."""

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.slow
AXE = Axe()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_accessible(reader, page_name, scheme, width):
    page = reader(scheme=scheme, width=width).open(page_name)
    # The inside of a formula is left to the browser.
    found = AXE.run(page, context={"exclude": [["math"]]}).response["violations"]
    assert [
        (violation["id"], [node["html"][:200] for node in violation["nodes"][:3]])
        for violation in found
    ] == []
