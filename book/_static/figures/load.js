// Loads the scripts of the figures to drag that a page holds, and none on the other pages.
// A figure is <div class="figure-NAME">: NAME.js draws in it. Until then, and where scripts are
// off, it shows the picture that stands in it.
(() => {
  const folder = document.currentScript.src.replace(/[^/]*$/, "");
  const NEEDS = {
    "figure-importance": ["importance"],
    "figure-jensen": ["jensen"],
    "figure-em": ["em"],
    "figure-mixture": ["old_faithful", "mixture"],
    "figure-lda": ["bars", "lda"],
  };
  const load = () => {
    const present = Object.keys(NEEDS).filter((name) => document.querySelector(`div.${name}`));
    if (!present.length) return;
    for (const name of ["shared", ...present.flatMap((figure) => NEEDS[figure])]) {
      const script = document.createElement("script");
      script.src = `${folder}${name}.js`;
      script.async = false; // in this order
      document.head.append(script);
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", load);
  else load();
})();
