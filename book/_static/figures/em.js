// EM as coordinate ascent on the bound (eq-em-tight, eq-em-q-function, eq-em-ascent).
// A test finds half of the ill and never alarms the healthy; some tests are positive, the others
// negative. θ is the share that is ill, q the guess that a negative is ill. Above is the bound over
// both, below the log-likelihood and the bound at the present q, over θ.
figures.add("figure-em", (frame, data) => {
  const { axes, clamp, contours, element, handle, line, number, range, set } = figures;
  const [positive, negative] = data.tests.split(" ").map(Number);
  const start = data.start.split(" ").map(Number);
  const LIMITS = [0.02, 0.98];
  const FLOOR = -90;
  const ENOUGH = 1e-3; // nats that a round of E and M must gain

  const bound = (theta, q) =>
    positive * Math.log(theta / 2) +
    negative * (q * Math.log(theta / 2 / q) + (1 - q) * Math.log((1 - theta) / (1 - q)));
  const likelihood = (theta) =>
    positive * Math.log(theta / 2) + negative * Math.log(1 - theta / 2);
  const posterior = (theta) => theta / (2 - theta);
  const summit = (q) => (positive + negative * q) / (positive + negative);
  const best = (2 * positive) / (positive + negative);
  const top = likelihood(best);

  let [theta, q] = start;
  let trail = [[theta, q, ""]]; // where we stood, and who moved there: "E", "M" or "hand"
  let blind = false;
  let target = null; // where the half-step that is under way will end
  let done = ""; // what the run has found
  let parts;

  const rounded = (value) => Math.round(clamp(value, LIMITS) * 1000) / 1000;
  const steps = () => trail.filter(([, , who]) => who === "E" || who === "M").length;
  const byHand = () => trail.filter(([, , who]) => who === "hand").length;

  function go(newTheta, newQ) {
    done = "";
    theta = newTheta;
    q = newQ;
    update();
  }
  function arrived(who) {
    const [lastTheta, lastQ] = trail.at(-1);
    if (who === "hand" && lastTheta === theta && lastQ === q) return;
    trail.push([theta, q, who]);
    update();
  }

  function layout(width) {
    const { svg } = frame;
    const left = 44;
    const box = { left, width: width - left - 10, x: [0, 1], xticks: [0, 0.2, 0.4, 0.6, 0.8, 1] };
    const map = axes(svg, {
      ...{ ...box, top: 28, height: 250, y: [0, 1], yticks: [0, 0.5, 1], xticks: [] },
      ylabel: "guess q that a negative is ill",
    });
    const low = axes(svg, {
      ...{ ...box, top: 320, height: 200, y: [FLOOR, -46], yticks: [-90, -80, -70, -60, -50] },
      ...{ ylabel: "nats", xlabel: "share ill, θ" },
    });

    // What EM does not see: the map of the bound, and the log-likelihood.
    const hidden = [element("g", {}, map.inside), element("g", {}, low.inside)];
    const grid = range(...LIMITS, 96);
    const heights = grid.map((t) => grid.map((g) => bound(t, g)));
    const levels = range(Math.log(64), Math.log(0.25), 8).map((below) => top - Math.exp(below));
    for (const d of contours(map, grid, grid, heights, levels)) {
      element("path", { d, class: "drag-faint" }, hidden[0]);
    }
    const fine = range(...LIMITS, 192);
    const ridge = { d: line(map, fine.map((t) => [t, posterior(t)])), class: "drag-line drag-thin drag-line-3" };
    element("path", ridge, hidden[0]);
    const summits = fine.map((g) => [summit(g), g]);
    element("path", { d: line(map, summits), class: "drag-line drag-thin drag-line-2" }, hidden[0]);
    const [x, y] = [map.X(best), map.Y(posterior(best))];
    element("path", { d: `M${x - 7},${y}h14M${x},${y - 7}v14`, class: "drag-line" }, hidden[0]);
    const note = (text, x, y, more) =>
      element("text", { x, y, class: "drag-halo", "aria-hidden": true, ...more }, svg, text);
    const notes = [
      note("E ends here", map.X(0.02), map.Y(0.15), { class: "drag-halo drag-ink-3" }),
      note("M ends here", map.X(0.24) + 16, map.Y(0.035), { class: "drag-halo drag-ink-2" }),
      note("log-likelihood", low.X(0.98), low.Y(-50), { "text-anchor": "end" }),
    ];
    element("path", { d: line(low, fine.map((t) => [t, likelihood(t)])), class: "drag-line" }, hidden[1]);

    // What moves.
    const walked = element("path", { class: "drag-line" }, map.inside);
    const dragged = element("path", { class: "drag-line drag-thin drag-dots" }, map.inside);
    const corners = element("g", { "aria-hidden": true }, svg);
    const thread = element("path", { class: "drag-faint drag-dots", "aria-hidden": true }, svg);
    const bow = element("path", { class: "drag-line drag-line-1 drag-dash" }, low.inside);
    const lost = element("path", { class: "drag-line drag-line-4", "aria-hidden": true }, svg);
    lost.style.strokeWidth = 5;
    const gap = note("", 0, 0, { class: "drag-halo strong drag-ink-4" });
    const dot = element("circle", { r: 7, class: "drag-fill-1", "aria-hidden": true }, svg);
    const depth = note("", 0, 0, { class: "drag-halo strong drag-ink-1" });
    const pan = element("rect", {
      ...{ x: map.left, y: map.top, width: map.width, height: map.height },
      ...{ class: "drag-target", "aria-hidden": true },
    }, svg);
    const moved = (newTheta, newQ) => go(rounded(newTheta), rounded(newQ));
    pan.addEventListener("click", (event) => {
      const { left: x0, top: y0 } = svg.getBoundingClientRect();
      halt();
      moved(map.x(event.clientX - x0), map.y(event.clientY - y0));
      arrived("hand");
    });
    const place = handle(svg, {
      ...{ label: "Share ill θ and guess q", className: "of-1", plane: true },
      ...{ min: LIMITS[0], max: LIMITS[1], start: halt, end: () => arrived("hand") },
      drag: (x, y) => moved(map.x(x), map.y(y)),
      step: (right, up) => moved(theta + right / 100, q + up / 100),
    });
    parts = { map, low, hidden, notes, walked, dragged, corners, thread, bow, lost, gap, dot, depth, place };
    return low.bottom + 48;
  }

  function update() {
    const { map, low, hidden, notes, walked, dragged, corners, thread, bow, lost, gap, dot, depth, place } = parts;
    const here = bound(theta, q);
    const there = likelihood(theta);
    const below = there - here;
    [...hidden, ...notes].forEach((node) => (node.style.display = blind ? "none" : ""));

    const pieces = { walk: "", hand: "" };
    corners.replaceChildren();
    [...trail, [theta, q, "now"]].forEach(([t, g, who], i, all) => {
      if (who !== "now") {
        element("circle", { cx: map.X(t), cy: map.Y(g), r: 3.5, class: "drag-fill" }, corners);
      }
      if (!i) return;
      const piece = line(map, [all[i - 1], [t, g]]);
      pieces[who === "E" || who === "M" || (who === "now" && target) ? "walk" : "hand"] += piece;
    });
    set(walked, { d: pieces.walk || "M0,0" });
    set(dragged, { d: pieces.hand || "M0,0" });

    const x = low.X(theta);
    const seen = here >= FLOOR;
    const y = seen ? low.Y(here) : low.bottom;
    set(thread, { d: `M${x},${map.Y(q)}V${y}` });
    set(bow, { d: line(low, range(...LIMITS, 192).map((t) => [t, Math.max(bound(t, q), FLOOR - 99)])) });
    set(lost, { d: `M${x},${low.Y(there)}V${y}` });
    lost.style.display = gap.style.display = blind ? "none" : "";
    gap.textContent = below > 6 ? `KL ${number(below, 1)}` : "";
    const turn = theta > 0.8 ? "end" : "start";
    const aside = theta > 0.8 ? -10 : 10;
    set(gap, { x: x + aside, y: (low.Y(there) + y) / 2 + 5, "text-anchor": turn });
    set(dot, { cx: x, cy: y });
    depth.textContent = seen ? "" : `↓ ${number(here, 0)}`;
    set(depth, { x: x + aside, y: low.bottom - 6, "text-anchor": turn });
    place(map.X(theta), map.Y(q), theta, `θ ${number(theta, 3)}, q ${number(q, 3)}`);

    const seenOnly = `θ = ${number(theta, 3)}, q = ${number(q, 3)}: bound ${number(here, 3)}`;
    const counts = `Half-steps of EM: ${steps()}. Moves by hand: ${byHand()}.${done}`;
    const rest = `log-likelihood ${number(there, 3)} nats, ${number(top - there, 3)} below the top`;
    frame.say(`${blind ? `${seenOnly} nats` : `${seenOnly}, ${rest}`}. ${counts}`);
    frame.expose({ theta, q, bound: here, logLikelihood: there, top, steps: steps(), moves: byHand() });
  }

  // --- EM ---
  function half(who, then) {
    const [fromTheta, fromQ] = [theta, q];
    const [toTheta, toQ] = who === "E" ? [theta, posterior(theta)] : [summit(q), q];
    target = [toTheta, toQ, who];
    frame.move(500, (share) => {
      if (share === 1) return go(toTheta, toQ);
      go(fromTheta + share * (toTheta - fromTheta), fromQ + share * (toQ - fromQ));
    }, () => {
      target = null;
      arrived(who);
      then?.();
    });
  }
  function round() {
    const before = bound(theta, q);
    half("E", () =>
      frame.later(150, () =>
        half("M", () => {
          if (bound(theta, q) - before >= ENOUGH) return frame.later(150, round);
          halt(` The last two gained less than ${ENOUGH} nats, so EM stops.`);
        }),
      ),
    );
  }
  function halt(why) {
    frame.stop();
    if (target) {
      const [toTheta, toQ, who] = target;
      target = null;
      [theta, q] = [toTheta, toQ];
      arrived(who);
    }
    auto.textContent = "Run";
    if (typeof why !== "string") return;
    done = why;
    frame.words.setAttribute("aria-live", "polite");
    update();
  }
  const one = (who) => () => {
    halt();
    half(who);
  };
  frame.button("E-step", one("E"), "E-step: move q until the bound touches");
  frame.button("M-step", one("M"), "M-step: move θ to the summit of the bound");
  const auto = frame.button("Run", () => {
    const going = auto.textContent === "Stop";
    halt();
    if (going) return;
    auto.textContent = "Stop";
    round();
  });
  frame.button("Start over", () => {
    halt();
    trail = [[...start, ""]];
    go(...start);
  });
  const hide = frame.button("Hide what EM cannot see", () => {
    blind = !blind;
    hide.setAttribute("aria-pressed", blind);
    update();
  });
  hide.setAttribute("aria-pressed", false);
  return { layout, update };
});
