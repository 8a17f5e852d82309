// Repairs what the theme and its extensions leave wrong for screen readers and keyboards.
document.addEventListener("DOMContentLoaded", () => {
  const all = (selector) => document.querySelectorAll(selector);

  // The name of a control must contain the words that are seen on it.
  all(".search-button-field, details.hide > summary").forEach((control) =>
    control.removeAttribute("aria-label"),
  );
  // All content belongs to a landmark.
  const logo = document.querySelector(".sidebar-primary-item:has(.navbar-brand)");
  logo?.setAttribute("role", "navigation");
  logo?.setAttribute("aria-label", "Book");

  // Roles that ARIA has withdrawn, or that a list may not contain.
  all("[role=doc-biblioentry]").forEach((entry) => entry.setAttribute("role", "listitem"));

  // A formula or a listing that is too wide scrolls, and the Tab key reaches it.
  // It fades at the right as long as there is more of it.
  const fade = (box) =>
    box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
  const scrolls = (box, wide) => {
    wide ? box.setAttribute("tabindex", 0) : box.removeAttribute("tabindex");
    fade(box);
  };
  const fitBox = (box) => scrolls(box, box.scrollWidth > box.clientWidth + 1);
  const fit = () => {
    all("div.highlight pre, .formula").forEach(fitBox);
    all("span.math").forEach((formula) => {
      const room = formula.closest("p, li, dd, td, figcaption, h1, h2, h3");
      const wide = room && formula.firstElementChild.getBoundingClientRect().width > room.clientWidth;
      formula.classList.toggle("wide", wide);
      if (wide || formula.hasAttribute("tabindex")) scrolls(formula, wide);
    });
  };
  fit();
  document.fonts.ready.then(fit);
  window.addEventListener("resize", fit);
  document.addEventListener("toggle", fit, true);
  // What is laid out late is looked at when it is.
  document.addEventListener(
    "contentvisibilityautostatechange",
    ({ target, skipped }) => skipped || requestAnimationFrame(() => fitBox(target)),
    true,
  );
  document.addEventListener(
    "scroll",
    ({ target }) => target.matches?.(".formula, span.math, pre") && fade(target),
    true,
  );

  // Paper is white.
  const page = document.documentElement;
  window.addEventListener("beforeprint", () => {
    all("img[loading]").forEach((image) => (image.loading = "eager"));
    page.dataset.screenTheme = page.dataset.theme;
    page.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => (page.dataset.theme = page.dataset.screenTheme));
});
