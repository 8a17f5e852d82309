// Jensen's inequality for one wait and two groups (eq-jensen, eq-elbo, eq-elbo-gap).
// The guess q for group 1 is dragged; the weights slide on the logarithm, the chord turns, its
// average stays over the evidence, and the dot on the dome is at the height of the chord.
figures.add("figure-jensen", (frame, data) => {
  const { axes, clamp, element, grip, line, number, range, set, shares } = figures;
  const wait = +data.wait;
  const weights = data.weights.split(" ").map(Number);
  const means = data.means.split(" ").map(Number);
  const sd = +data.sd;
  const joint = weights.map(
    (weight, k) =>
      (weight * Math.exp(-(((wait - means[k]) / sd) ** 2) / 2)) / (sd * Math.sqrt(2 * Math.PI)),
  );
  const evidence = joint[0] + joint[1];
  const logEvidence = Math.log(evidence);
  const posterior = joint[0] / evidence;

  const term = (q, p) => (q > 0 ? q * Math.log(p / q) : 0);
  const elbo = (q) => term(q, joint[0]) + term(1 - q, joint[1]);
  const thousand = (u) => 1000 * u;

  const Y = [-7.8, -3];
  const FARTHEST = 40; // thousandths
  let q = 0.5;
  let parts;

  function change(value) {
    q = clamp(value, [0, 1]);
    update();
  }
  const drag = (value) => {
    frame.stop();
    change(Math.round(value * 1000) / 1000);
  };

  function layout(width) {
    const { svg } = frame;
    const wide = width >= 600;
    const height = wide ? 300 : 250;
    const left = 42;
    const half = wide ? Math.round((width - 84) * 0.56) : width - left - 10;
    const log = axes(svg, {
      ...{ left, top: 28, width: half, height, x: [0, FARTHEST], y: Y },
      ...{ xticks: [0, 10, 20, 30, 40], yticks: [-7, -6, -5, -4, -3] },
      ...{ xlabel: "weight, in thousandths", ylabel: "logarithm (nats)" },
    });
    const domeLeft = wide ? log.right + 42 : left;
    const dome = axes(svg, {
      ...{ left: domeLeft, top: wide ? 28 : height + 110, width: width - domeLeft - 10, height },
      ...{ x: [0, 1], y: Y, xticks: [0, 0.5, 1], yticks: wide ? [] : [-7, -6, -5, -4, -3] },
      ...{ xlabel: "guess q for group 1", ylabel: wide ? "" : "ELBO (nats)" },
    });

    // What stays: the logarithm, the evidence on its vertical line, the dome under its ceiling.
    const mean = log.X(thousand(evidence));
    const top = log.Y(logEvidence);
    const lines = element("g", { "aria-hidden": true }, svg);
    element("path", { d: `M${mean},${log.top}V${log.bottom}`, class: "drag-faint drag-dots" }, lines);
    const guides = wide ? [log.left, dome.right] : null;
    for (const at of wide ? [log] : [log, dome]) {
      const [from, to] = guides ?? [at.left, at.right];
      element("path", { d: `M${from},${at.Y(logEvidence)}H${to}`, class: "drag-line drag-thin" }, lines);
    }
    const curve = range(0.3, FARTHEST, 300).map((u) => [u, Math.log(u / 1000)]);
    element("path", { d: line(log, curve), class: "drag-line" }, log.inside);
    const bow = range(0, 1, 200).map((share) => [share, elbo(share)]);
    element("path", { d: line(dome, bow), class: "drag-line drag-line-3" }, dome.inside);
    const say = (text, x, y, more = {}) => {
      const attributes = { x, y, class: "drag-halo", "aria-hidden": true, ...more };
      return element("text", attributes, svg, text);
    };
    const named = `log p(${wait})`;
    const end = { "text-anchor": "end" };
    say(named, wide ? dome.X(0) + 6 : log.right, top - 8, wide ? {} : end);
    if (!wide) say(named, dome.X(0) + 6, dome.Y(logEvidence) - 8);
    say(wide ? "the average stays here" : "the average", mean + 6, log.top + 13, { class: "drag-halo drag-quiet" });
    say("ELBO", dome.X(0.2), dome.Y(elbo(0.2)) + 26, { class: "drag-halo drag-ink-3" });

    // What moves.
    const level = element("path", { class: "drag-faint drag-line-3 drag-dots" }, lines);
    const chord = element("path", { class: "drag-line drag-thin drag-dash" }, log.inside);
    const gaps = [log, dome].map(() =>
      element("path", { class: "drag-line drag-line-4", "stroke-width": 5, "aria-hidden": true }, svg),
    );
    gaps.forEach((gap) => (gap.style.strokeWidth = 5));
    element("circle", { cx: mean, cy: top, r: 4.5, class: "drag-fill", "aria-hidden": true }, svg);
    const ends = [1, 2].map((k) => {
      const node = element("g", { "aria-hidden": true }, svg);
      element("circle", { r: 22, class: "drag-target" }, node);
      element(k === 1 ? "circle" : "rect", {
        ...(k === 1 ? { r: 7 } : { x: -6.5, y: -6.5, width: 13, height: 13 }),
        class: `drag-fill-${k}`,
      }, node);
      // A weight w of group 1 belongs to the guess p₁ / w, one of group 2 to 1 − p₂ / w.
      const guess = (w) => (k === 1 ? joint[0] / w : 1 - joint[1] / w);
      grip(svg, node, { drag: (x) => drag(clamp(guess(log.x(x) / 1000), [0, 1])) });
      return node;
    });
    const middle = element("circle", { r: 6, class: "drag-fill-3", "aria-hidden": true }, svg);
    const names = ["₁", "₂"].map((_, k) => say("", 0, 0, { class: `drag-halo strong drag-ink-${k + 1}` }));
    const kl = [log, dome].map(() => say("", 0, 0, { class: "drag-halo strong drag-ink-4" }));
    const dot = element("g", { "aria-hidden": true }, svg);
    element("circle", { r: 22, class: "drag-target" }, dot);
    element("circle", { r: 8, class: "drag-fill-3" }, dot);
    grip(svg, dot, { drag: (x) => drag(dome.x(x)) });
    const barTop = dome.bottom + 58;
    const bar = shares(svg, {
      ...{ left, top: barTop, width: width - left - 10, start: () => frame.stop() },
      ...{ label: "Guess q for group 1", names: ["q, group 1:", "1 − q, group 2:"], change: drag },
    });
    parts = { log, dome, wide, mean, level, chord, gaps, ends, middle, names, kl, dot, bar };
    return barTop + 46;
  }

  function update() {
    const { log, dome, wide, mean, level, chord, gaps, ends, middle, names, kl, dot, bar } = parts;
    const w = [joint[0] / q, joint[1] / (1 - q)];
    const bound = elbo(q);
    const gap = logEvidence - bound;

    // Where a weight has run away to infinity the chord has become level.
    const slope = (Math.log(w[0]) - Math.log(w[1])) / (w[0] - w[1]);
    const tilt = Number.isFinite(slope) ? slope : w.every(Number.isFinite) ? 1 / evidence : 0;
    const far = 4 * FARTHEST;
    const span = w.map((u) => Math.min(thousand(u), far));
    const on = (u) => bound + tilt * (u / 1000 - evidence);
    set(chord, { d: line(log, span.map((u) => [u, on(u)])) });
    ends.forEach((node, k) => {
      const seen = thousand(w[k]) <= FARTHEST;
      const y = seen ? log.Y(Math.log(w[k])) : log.top;
      if (seen) set(node, { transform: `translate(${log.X(thousand(w[k]))},${y})` });
      node.style.display = seen ? "" : "none";
      const met = Math.abs(q - posterior) < 0.012;
      const label = `${met ? "w₁ = w₂" : `w${"₁₂"[k]}`} = ${number(thousand(w[k]), 1)}`;
      names[k].textContent = seen ? label : `${label} →`;
      const low = thousand(w[k]) < thousand(evidence) - 0.5;
      const x = seen ? log.X(thousand(w[k])) + (low ? 12 : 0) : log.right;
      const height = seen ? (low ? y + 14 : y - 14) : log.top + 14;
      const anchor = seen ? (low ? "start" : x > log.right - 50 ? "end" : "middle") : "end";
      set(names[k], { x, y: height, "text-anchor": anchor });
      names[k].classList.toggle(`drag-ink-${k + 1}`, !met);
      names[k].style.display = met && k ? "none" : "";
    });
    set(middle, { cx: mean, cy: log.Y(bound) });
    const x = dome.X(q);
    set(gaps[0], { d: `M${mean},${log.Y(logEvidence)}V${log.Y(bound)}` });
    set(gaps[1], { d: `M${x},${dome.Y(logEvidence)}V${dome.Y(bound)}` });
    // Under the chord on the left; beside the gap on the dome, where there is room.
    kl.forEach((text) => (text.textContent = gap > 0.12 ? `KL ${number(gap, 2)}` : ""));
    set(kl[0], { x: mean + 10, y: log.Y(bound) + 20 });
    const before = q > 0.24;
    const inGap = Math.min((dome.Y(logEvidence) + dome.Y(bound)) / 2 + 5, dome.Y(logEvidence) + 20);
    set(kl[1], { x: x + (before ? -9 : 9), y: gap > 0.4 ? inGap : dome.Y(logEvidence) - 9 });
    set(kl[1], { "text-anchor": before ? "end" : "start" });
    set(dot, { transform: `translate(${x},${dome.Y(bound)})` });
    set(level, { d: wide ? `M${mean},${log.Y(bound)}H${x}` : "" });
    bar(q);
    const close = gap < 5e-4 ? "The guess is the posterior, both weights are the same, and the gap is closed." : "";
    frame.say(
      `q = ${number(q, 3)}: the weights are ${number(thousand(w[0]), 2)} and ` +
        `${number(thousand(w[1]), 2)} thousandths. ELBO ${number(bound, 3)} + KL ${number(gap, 3)} ` +
        `= log p(${wait}) = ${number(logEvidence, 3)} nats. ${close}`,
    );
    frame.expose({ q, elbo: bound, kl: gap, w, logEvidence, posterior });
  }

  const glide = (to) => {
    const from = q;
    frame.move(900, (share) => change(share === 1 ? to : from + share * (to - from)));
  };
  frame.button("Go to the posterior", () => glide(posterior));
  frame.button("Back to one half", () => glide(0.5));
  return { layout, update };
});
