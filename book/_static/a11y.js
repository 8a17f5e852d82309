// Repairs what the theme and its extensions leave wrong for screen readers and keyboards.
document.addEventListener("DOMContentLoaded", () => {
  const all = (selector) => document.querySelectorAll(selector);

  // The name of a control must contain the words that are seen on it.
  all(".search-button-field, details.hide > summary").forEach((control) =>
    control.removeAttribute("aria-label"),
  );
  // Font Awesome draws the icons of this button at some later time, with a title in each.
  all(".theme-switch-button").forEach((button) => {
    const silence = () =>
      button.querySelectorAll("svg:has(title)").forEach((icon) => {
        icon.querySelector("title").remove();
        icon.setAttribute("aria-hidden", "true");
      });
    new MutationObserver(silence).observe(button, { childList: true, subtree: true });
    silence();
  });

  // All content belongs to a landmark.
  const logo = document.querySelector(".sidebar-primary-item:has(.navbar-brand)");
  logo?.setAttribute("role", "navigation");
  logo?.setAttribute("aria-label", "Book");

  // Roles that ARIA has withdrawn, or that a list may not contain.
  all("[role=doc-biblioentry]").forEach((entry) => entry.setAttribute("role", "listitem"));

  // A formula or a listing that is too wide scrolls, and the Tab key reaches it; MathJax lets it
  // reach all. It fades at the right as long as there is more of it.
  const fade = (box) =>
    box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
  const fit = () => {
    all("div.highlight pre").forEach(fade);
    all("mjx-container").forEach((formula) => {
      const inline = !formula.hasAttribute("display");
      const room = (inline ? formula.closest("p, li, dd, td, figcaption") : null) ?? formula;
      const wide = (inline ? formula.firstElementChild : formula).scrollWidth > room.clientWidth;
      formula.classList.toggle("wide", inline && wide);
      wide ? formula.setAttribute("tabindex", 0) : formula.removeAttribute("tabindex");
      if (wide) fade(formula);
      else formula.classList.remove("more");
    });
  };
  window.MathJax?.startup?.promise?.then(() => {
    fit();
    window.addEventListener("resize", fit);
    document.addEventListener("toggle", fit, true);
    document.addEventListener(
      "scroll",
      ({ target }) => ["mjx-container", "pre"].includes(target.localName) && fade(target),
      true,
    );
  });
});
