// Loads the scripts of the figures to drag that a page holds, and none on the other pages.
// A figure is <div class="figure-NAME">: scripts of its own draw in it. Until then, and where scripts are
// off, it shows the picture that stands in it.
(() => {
  const folder = document.currentScript.src.replace(/[^/]*$/, "");
  const NEEDS = {
    "figure-importance": ["importance.js"],
    "figure-jensen": ["jensen.js"],
    "figure-em": ["em.js"],
    "figure-mixture": ["old_faithful.js", "mixture.js"],
    "figure-lda": ["bars.js", "lda.js"],
  };
  const load = () => {
    const present = Object.keys(NEEDS).filter((name) => document.querySelector(`div.${name}`));
    if (!present.length) return;
    for (const name of ["shared.js", ...present.flatMap((figure) => NEEDS[figure])]) {
      const script = document.createElement("script");
      script.src = `${folder}${name}`;
      script.async = false; // in this order
      document.head.append(script);
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", load);
  else load();
})();
