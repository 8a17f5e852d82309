// Importance sampling with a normal proposal for a hidden number z (eq-marginal-integral,
// eq-importance-unbiased, eq-effective-sample-size, eq-importance-standard-error): z is standard
// normal, and the wait is normal around mu + b z. The area of a disc is the draw's share of the
// total weight, so the ink stays the same.
figures.add("figure-importance", (frame, data) => {
  const { axes, clamp, element, handle, line, number, range, set } = figures;
  const [wait, mu, b, sigma] = data.model.split(" ").map(Number);
  const S = 100;
  const Z = [-3.5, 3.5];
  const WIDTHS = [0.1, 3];
  const RATIO = [0, 2]; // estimate / truth
  const WHOLE = 34; // radius of the disc of a draw that has all the weight

  const logNormal = (x, mean, sd) =>
    -(((x - mean) / sd) ** 2) / 2 - Math.log(sd) - Math.log(2 * Math.PI) / 2;
  const total = Math.sqrt(b ** 2 + sigma ** 2);
  const truth = Math.exp(logNormal(wait, mu, total));
  const posterior = { mean: (b * (wait - mu)) / total ** 2, width: sigma / total };

  /** S standard normal numbers and as many places for the discs, always the same for a seed. */
  function random(seed) {
    let state = seed;
    const uniform = () => {
      // mulberry32, a small generator
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const normal = () =>
      Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return Array.from({ length: S }, () => ({ noise: normal(), place: uniform() }));
  }

  let seed = 1;
  let draws = random(seed);
  let proposal = { mean: 0, width: 1 };
  let parts;

  /** What the draws say; the same noise for every proposal, so that nothing jumps. */
  function sample() {
    const { mean, width } = proposal;
    const z = draws.map(({ noise }) => mean + width * noise);
    const logs = z.map(
      (u) => logNormal(u, 0, 1) + logNormal(wait, mu + b * u, sigma) - logNormal(u, mean, width),
    );
    const high = Math.max(...logs);
    const scaled = logs.map((log) => Math.exp(log - high));
    const sum = scaled.reduce((a, w) => a + w, 0);
    const squares = scaled.reduce((a, w) => a + w ** 2, 0);
    const effective = sum ** 2 / squares;
    return {
      ...{ z, effective, shares: scaled.map((w) => w / sum) },
      estimate: (Math.exp(high) * sum) / S,
      error: Math.sqrt(Math.max(S / effective - 1, 0) / (S - 1)), // relative
    };
  }
  /** 1 + χ², infinite for a proposal with half the variance of the posterior or less. */
  function price() {
    const c = (proposal.width / posterior.width) ** 2;
    const off = (proposal.mean - posterior.mean) / posterior.width;
    return c > 0.5 ? (c / Math.sqrt(2 * c - 1)) * Math.exp(off ** 2 / (2 * c - 1)) : Infinity;
  }

  const hundredth = (value) => Math.round(value * 100) / 100;
  function change(next) {
    frame.stop();
    proposal = {
      mean: clamp(hundredth(next.mean ?? proposal.mean), Z),
      width: clamp(hundredth(next.width ?? proposal.width), WIDTHS),
    };
    update();
  }

  function layout(width) {
    const { svg } = frame;
    const wide = width >= 600;
    const left = 34;
    const right = width - 14;
    const box = { left, width: right - left, x: Z };
    const xticks = [-3, -2, -1, 0, 1, 2, 3];
    const curves = axes(svg, {
      ...{ ...box, top: 28, height: 170, y: [0, 1.3], yticks: [0, 0.5, 1], ylabel: "density" },
    });
    const strip = axes(svg, { ...box, top: 212, height: 110, y: [0, 1], xticks, xlabel: "z, the heat" });
    element("text", { x: left, y: strip.top + 8, "aria-hidden": true, class: "drag-halo" }, svg, "draws");

    const grid = range(...Z, 280);
    const goal = grid.map((z) => [z, Math.exp(logNormal(z, posterior.mean, posterior.width))]);
    element("path", { d: line(curves, goal), class: "drag-line" }, curves.inside);
    const says = { "aria-hidden": true, class: "drag-halo" };
    element("text", {
      ...{ x: curves.X(posterior.mean) + 32, y: curves.Y(0.98), ...says },
    }, svg, wide ? "posterior, which nobody knows" : "posterior");
    const bell = element("path", { class: "drag-line drag-line-1" }, curves.inside);
    const wash = element("path", { class: "drag-fill-1 drag-wash" }, curves.inside);
    const arm = element("path", { class: "drag-line drag-thin drag-line-1" }, curves.inside);
    const name = element("text", { ...says, class: "drag-halo drag-ink-1" }, svg, "proposal");
    const rug = element("path", { class: "drag-faint" }, strip.inside);
    const discs = draws.map(() =>
      element("circle", { class: "drag-fill-1", "fill-opacity": 0.55 }, strip.inside),
    );

    const mean = handle(svg, {
      ...{ label: "Mean of the proposal", className: "of-1", min: Z[0], max: Z[1] },
      drag: (x) => change({ mean: curves.x(x) }),
      step: (steps) => change({ mean: proposal.mean + steps / 20 }),
      jump: (end) => change({ mean: Z[end] }),
    });
    const spread = handle(svg, {
      ...{ label: "Width of the proposal", className: "of-1 small", min: WIDTHS[0], max: WIDTHS[1] },
      drag: (x) => change({ width: curves.x(x) - proposal.mean }),
      step: (steps) => change({ width: proposal.width + steps / 50 }),
      jump: (end) => change({ width: WIDTHS[end] }),
    });

    // How many draws are effective, and how near the estimate is.
    const top = strip.bottom + 78;
    const gauge = (at, below, title, domain, ticks) => {
      const scale = axes(svg, {
        ...{ left: at, top: below, width: wide ? (right - left - 40) / 2 : right - left, height: 24 },
        ...{ x: domain, y: [0, 1], xticks: ticks, ylabel: title },
      });
      return scale;
    };
    const count = gauge(left, top, "effective draws of 100", [0, S], [0, 25, 50, 75, 100]);
    const estimate = wide
      ? gauge(count.right + 40, top, "estimate divided by the truth", RATIO, [0, 0.5, 1, 1.5, 2])
      : gauge(left, top + 84, "estimate divided by the truth", RATIO, [0, 0.5, 1, 1.5, 2]);
    const filled = element("rect", {
      ...{ x: count.left, y: count.top + 6, height: 12, class: "drag-fill-3" },
    }, count.inside);
    const expected = element("path", { class: "drag-line" }, count.inside);
    const one = estimate.X(1);
    element("path", { d: `M${one},${estimate.top}V${estimate.bottom}`, class: "drag-line" }, estimate.inside);
    const bar = element("path", { class: "drag-line drag-line-1" }, estimate.inside);
    const dot = element("circle", { r: 6, class: "drag-fill-1" }, estimate.inside);
    parts = { curves, strip, bell, wash, arm, name, rug, discs, mean, spread, count, estimate, filled, expected, bar, dot };
    return estimate.bottom + 28;
  }

  function update() {
    const { curves, strip, bell, wash, arm, name, rug, discs, mean, spread, count, estimate, filled, expected, bar, dot } = parts;
    const { z, shares, effective, estimate: found, error } = sample();
    const { mean: m, width: s } = proposal;
    const density = (u) => Math.exp(logNormal(u, m, s));
    const shape = line(curves, range(...Z, 280).map((u) => [u, density(u)]));
    set(bell, { d: shape });
    set(wash, { d: `${shape}V${curves.bottom}H${curves.left}Z` });
    const peak = curves.Y(Math.min(density(m), 1.25));
    const shoulder = Math.min(Math.max(curves.Y(density(m + s)), peak + 26), curves.bottom);
    const edge = curves.X(Math.min(m + s, Z[1]));
    set(arm, { d: `M${curves.X(m)},${peak}V${shoulder}H${edge}` });
    mean(curves.X(m), peak, m, number(m, 2));
    spread(edge, shoulder, s, number(s, 2));
    const before = m > -1.5;
    set(name, { x: curves.X(m) + (before ? -16 : 16), y: peak + 5, "text-anchor": before ? "end" : "start" });
    set(rug, { d: z.map((u) => `M${strip.X(u).toFixed(1)},${strip.bottom}v-7`).join("") });
    discs.forEach((disc, i) => {
      const y = strip.top + 18 + draws[i].place * (strip.height - 30);
      set(disc, { cx: strip.X(z[i]).toFixed(1), cy: y.toFixed(1), r: (WHOLE * Math.sqrt(shares[i])).toFixed(2) });
    });

    const cost = price();
    set(filled, { width: count.X(effective) - count.left });
    const mark = count.X(S / cost);
    set(expected, { d: `M${mark},${count.top}V${count.bottom}` });
    const ratio = found / truth;
    const [low, high] = [ratio * (1 - error), ratio * (1 + error)].map(estimate.X);
    const y = (estimate.top + estimate.bottom) / 2;
    set(bar, { d: `M${low},${y}H${high}M${low},${y - 5}v10M${high},${y - 5}v10` });
    set(dot, { cx: clamp(estimate.X(ratio), [estimate.left + 6, estimate.right - 6]), cy: y });

    const c = (s / posterior.width) ** 2;
    const warning = Number.isFinite(cost)
      ? ""
      : `Its variance is ${number(c, 2)} times the posterior's: at half or less the weights have no ` +
        "variance, and the error means nothing.";
    frame.say(
      `Proposal with mean ${number(m, 2)} and width ${number(s, 2)}, price ${number(cost, cost < 100 ? 2 : 0)}: ` +
        `${number(effective, 1)} of ${S} draws are effective. Estimate ${number(found, 5)} ± ` +
        `${number(found * error, 5)}, truth ${number(truth, 5)}. ${warning}`,
    );
    frame.expose({ mean: m, width: s, z, effective, estimate: found, error, truth, price: cost });
  }

  frame.button("Draw again", () => {
    frame.stop();
    draws = random(++seed);
    update();
  });
  const glide = (to) => {
    const from = proposal;
    frame.move(900, (share) => {
      proposal = {
        mean: from.mean + share * (to.mean - from.mean),
        width: from.width + share * (to.width - from.width),
      };
      if (share === 1) proposal = to;
      update();
    });
  };
  frame.button("Take the posterior", () => glide(posterior));
  frame.button("Start over", () => glide({ mean: 0, width: 1 }));
  return { layout, update };
});
