// A mixture of two normal groups for the 272 waits of Old Faithful (eq-gm-responsibility,
// eq-gm-weights, eq-gm-mean-variance). Means, widths and shares are dragged, or moved by steps of
// EM; the dots take the colour of their responsibility. The second panel is the log-likelihood
// over the two means, for the widths and shares of the moment.
figures.add("figure-mixture", (frame, data) => {
  const { axes, clamp, contours, element, handle, line, number, range, set, shares } = figures;
  const MINUTES = [40, 100];
  const WIDTHS = [0.001, 20];
  const COUNTS = [0, 17];
  const METER = [-1180, -1000]; // nats
  const ENOUGH = 1e-4; // nats that a step must gain, or EM rests
  const LEVELS = [1, 3, 10, 25, 60, 120, 240, 480, 960]; // nats below the highest place
  const GRID = range(...MINUTES, 48);
  const CURVE = range(...MINUTES, 480);

  const total = figures.waits.length;
  const counts = new Map();
  for (const wait of figures.waits) counts.set(wait, (counts.get(wait) ?? 0) + 1);
  const waits = [...counts.keys()].sort((a, b) => a - b);
  const times = waits.map((wait) => counts.get(wait));

  // --- the model: { share, means, widths }, where share is the weight of group 1 -------------
  const logNormal = (x, mean, width) =>
    -(((x - mean) / width) ** 2) / 2 - Math.log(width) - Math.log(2 * Math.PI) / 2;
  const logWeights = ({ share }) => [Math.log(share), Math.log(1 - share)];
  const logSum = (a, b) => {
    const high = Math.max(a, b);
    return high === -Infinity ? high : high + Math.log1p(Math.exp(Math.min(a, b) - high));
  };
  /** For each wait the log-joint with both groups. */
  const logJoint = (params) => {
    const logs = logWeights(params);
    return waits.map((x) => logs.map((log, k) => log + logNormal(x, params.means[k], params.widths[k])));
  };
  const logLikelihood = (params) =>
    logJoint(params).reduce((sum, [a, b], i) => sum + times[i] * logSum(a, b), 0);
  /** The responsibility of group 1 for each wait. */
  const responsibilities = (params) => logJoint(params).map(([a, b]) => Math.exp(a - logSum(a, b)));

  /** One step of EM, or null if a group is left without width. */
  function step(params) {
    const first = responsibilities(params);
    const fits = [first, first.map((r) => 1 - r)].map((resp) => {
      const average = (f) => resp.reduce((sum, r, i) => sum + times[i] * r * f(waits[i]), 0);
      const count = average(() => 1);
      const mean = average((x) => x) / count;
      return { count, mean, width: Math.sqrt(average((x) => (x - mean) ** 2) / count) };
    });
    if (!fits.every(({ width }) => width > 1e-6)) return null;
    return {
      share: fits[0].count / total,
      means: fits.map(({ mean }) => mean),
      widths: fits.map(({ width }) => width),
    };
  }

  // The marks of the meter: one curve for all, and where EM rests from a good start.
  let rest = { share: 0.5, means: [55, 80], widths: [5, 5] };
  for (let i = 0; i < 100; i++) rest = step(rest);
  const whole = figures.waits.reduce((sum, x) => sum + x, 0) / total;
  const spread = Math.sqrt(figures.waits.reduce((sum, x) => sum + (x - whole) ** 2, 0) / total);
  const equal = { share: 0.5, means: [whole, whole], widths: [spread, spread] };
  const marks = [
    [logLikelihood(equal), "one curve"],
    [logLikelihood(rest), "EM rests"],
  ];

  // --- the state ------------------------------------------------------------------------------
  const [share0, ...others] = data.start.split(" ").map(Number);
  const start = { share: share0, means: others.slice(0, 2), widths: others.slice(2) };
  let params = start;
  let trail = []; // the means that the steps of EM have passed, since the last move by hand
  let target = null; // where the step that is under way will end
  let remark = "";
  let parts;

  function halt() {
    frame.stop();
    if (target) params = target;
    target = null;
    auto.textContent = "Run";
  }
  function byHand(change) {
    halt();
    params = { ...params, ...change };
    trail = [];
    remark = "";
    update();
  }
  const replaced = (pair, k, value) => pair.map((old, i) => (i === k ? value : old));
  const tenth = (value) => Math.round(value * 10) / 10;
  const setMean = (k, value) =>
    byHand({ means: replaced(params.means, k, clamp(tenth(value), MINUTES)) });
  const setWidth = (k, value) =>
    byHand({ widths: replaced(params.widths, k, clamp(+value.toPrecision(3), WIDTHS)) });

  // --- drawing ----------------------------------------------------------------------------------
  function layout(width) {
    const { svg } = frame;
    const wide = width >= 600;
    const tall = +(data.height ?? 230);
    const left = 34;
    const mainWidth = wide ? Math.round(width * 0.6) - left : width - left - 14;
    const main = axes(svg, {
      ...{ left, top: 28, width: mainWidth, height: tall, x: MINUTES, y: COUNTS },
      ...{ xticks: [40, 50, 60, 70, 80, 90, 100], yticks: [0, 5, 10, 15] },
      ...{ xlabel: "waiting time (minutes)", ylabel: "waits of this length" },
    });
    const barTop = main.bottom + 58;
    const landLeft = wide ? main.right + 62 : left + 10;
    const land = axes(svg, {
      ...{ left: landLeft, top: wide ? 28 : barTop + 140, width: width - landLeft - 14, height: wide ? tall : 230 },
      ...{ x: MINUTES, y: MINUTES, xticks: [40, 60, 80, 100], yticks: [40, 60, 80, 100] },
      ...{ xlabel: "mean of group 1", ylabel: "mean of group 2" },
    });

    // The landscape.
    const slopes = LEVELS.map((_, i) =>
      element("path", { class: "drag-faint", opacity: 1 - i * 0.08 }, land.inside),
    );
    const diagonal = { d: line(land, [[40, 40], [100, 100]]), class: "drag-faint drag-dots" };
    element("path", diagonal, land.inside);
    const vague = element("text", {
      ...{ x: (land.left + land.right) / 2, y: land.top + 20, "text-anchor": "middle" },
    }, land.inside, "a group too narrow for a map");
    const path = element("path", { class: "drag-line drag-thin" }, land.inside);
    const stops = element("g", { class: "drag-fill" }, land.inside);

    // The dots, a column for each length; then the curves over them.
    const pitch = main.Y(0) - main.Y(1);
    const radius = Math.min(5, 0.44 * (main.X(1) - main.X(0)), 0.45 * pitch);
    const columns = waits.map((wait, i) => {
      const column = element("g", {}, main.inside);
      for (let n = 0; n < times[i]; n++) {
        element("circle", { cx: main.X(wait), cy: main.Y(n + 0.5), r: radius }, column);
      }
      return column;
    });
    const sum = element("path", { class: "drag-line" }, main.inside);
    const curves = [1, 2].map((k) =>
      element("path", { class: `drag-line drag-line-${k}${k === 2 ? " drag-dash" : ""}` }, main.inside),
    );
    const arms = [1, 2].map((k) => element("path", { class: `drag-line drag-thin drag-line-${k}` }, main.inside));

    // Handles: a mean at each peak, a width where its curve has fallen by one standard deviation,
    // on the outer side.
    const handles = [0, 1].map((k) => {
      const side = k ? 1 : -1;
      const mean = handle(svg, {
        ...{ label: `Mean of group ${k + 1}`, className: `of-${k + 1}` },
        ...{ min: MINUTES[0], max: MINUTES[1], start: halt },
        drag: (x) => setMean(k, main.x(x)),
        step: (steps) => setMean(k, params.means[k] + steps / 2),
        jump: (end) => setMean(k, MINUTES[end]),
      });
      const width = handle(svg, {
        ...{ label: `Width of group ${k + 1}`, className: `of-${k + 1} small` },
        ...{ min: WIDTHS[0], max: WIDTHS[1], start: halt },
        drag: (x) => setWidth(k, Math.max(tenth(side * (main.x(x) - params.means[k])), 0.1)),
        step: (steps) => setWidth(k, params.widths[k] * 1.05 ** steps),
        jump: (end) => setWidth(k, WIDTHS[end]),
      });
      return { mean, width, side };
    });
    const bar = shares(svg, {
      ...{ left, top: barTop, width: mainWidth, label: "Share of group 1", start: halt },
      ...{ names: ["group 1:", "group 2:"] },
      change: (value) => byHand({ share: clamp(value, [0.01, 0.99]) }),
    });
    const both = handle(svg, {
      ...{ label: "Both means", plane: true, min: MINUTES[0], max: MINUTES[1], start: halt },
      drag: (x, y) => byHand({ means: [tenth(land.x(x)), tenth(land.y(y))] }),
      step: (right, up) =>
        byHand({
          means: [params.means[0] + right / 2, params.means[1] + up / 2].map((m) =>
            clamp(tenth(m), MINUTES),
          ),
        }),
    });

    // The meter.
    const meter = { left: wide ? land.left : left, top: barTop + (wide ? 12 : 68) };
    meter.width = wide ? land.width : mainWidth;
    meter.at = (nats) =>
      meter.left + ((clamp(nats, METER) - METER[0]) / (METER[1] - METER[0])) * meter.width;
    element("rect", {
      ...{ x: meter.left, y: meter.top + 4, width: meter.width, height: 10 },
      ...{ class: "drag-axis", "aria-hidden": true },
    }, svg);
    const filled = element("rect", {
      ...{ x: meter.left, y: meter.top + 4, height: 10, class: "drag-fill-3", "aria-hidden": true },
    }, svg);
    for (const [nats, name] of marks) {
      const x = meter.at(nats);
      const mark = { d: `M${x},${meter.top}v18`, class: "drag-line", "aria-hidden": true };
      element("path", mark, svg);
      const at = { x, y: meter.top + 35, "text-anchor": "middle", "aria-hidden": true };
      element("text", at, svg, name);
    }
    const height = element("text", {
      ...{ x: meter.left, y: meter.top - 6, class: "strong", "aria-hidden": true },
    }, svg);
    parts = { main, land, slopes, vague, path, stops, columns, sum, curves, arms, handles, bar, both, meter, filled, height };
    landscape.key = "";
    return wide ? barTop + 56 : land.bottom + 48;
  }

  /** Redraw the contours, if the widths or the shares have changed. */
  function landscape() {
    const { land, slopes, vague } = parts;
    const key = [params.share, ...params.widths].join();
    if (key === landscape.key) return;
    landscape.key = key;
    const narrow = Math.min(...params.widths) < GRID[1] - GRID[0];
    vague.style.display = narrow ? "" : "none";
    if (narrow) {
      slopes.forEach((slope) => set(slope, { d: "M0,0" }));
      return;
    }
    const logs = logWeights(params);
    const [first, second] = params.widths.map((width, k) =>
      GRID.map((mean) => waits.map((x) => logs[k] + logNormal(x, mean, width))),
    );
    const heights = first.map((a) =>
      second.map((b) => {
        let sum = 0;
        for (let n = 0; n < waits.length; n++) sum += times[n] * logSum(a[n], b[n]);
        return sum;
      }),
    );
    const top = Math.max(...heights.flat());
    const drawn = contours(land, GRID, GRID, heights, LEVELS.map((below) => top - below));
    drawn.forEach((d, i) => set(slopes[i], { d: d || "M0,0" }));
  }

  function update() {
    const { main, land, path, stops, columns, sum, curves, arms, handles, bar, both, meter, filled, height } = parts;
    const weights = [params.share, 1 - params.share];
    const nats = logLikelihood(params);
    landscape();

    // The fill mixes the two colours, in the light and in the dark.
    responsibilities(params).forEach((r, i) => {
      columns[i].style.fill = `color-mix(in srgb, var(--drag-1) ${(100 * r).toFixed(1)}%, var(--drag-2))`;
    });
    const density = (k, x) =>
      total * weights[k] * Math.exp(logNormal(x, params.means[k], params.widths[k]));
    // A narrow curve is drawn with points of its own.
    const points = params.means.flatMap((mean, k) =>
      range(mean - 4 * params.widths[k], mean + 4 * params.widths[k], 60),
    );
    const xs = [...CURVE, ...points].filter((x) => x >= 40 && x <= 100).sort((a, b) => a - b);
    const low = (y) => Math.min(y, 2 * COUNTS[1]);
    curves.forEach((curve, k) => set(curve, { d: line(main, xs.map((x) => [x, low(density(k, x))])) }));
    set(sum, { d: line(main, xs.map((x) => [x, low(density(0, x) + density(1, x))])) });
    handles.forEach(({ mean, width, side }, k) => {
      const [m, s] = [params.means[k], params.widths[k]];
      const edge = clamp(m + side * s, MINUTES);
      const top = main.Y(Math.min(density(k, m), COUNTS[1] - 0.7));
      const shoulder = Math.max(main.Y(density(k, m + side * s)), top + 26);
      const said = `${number(m, 1)} minutes`;
      mean(main.X(m), top, m, said);
      width(main.X(edge), Math.min(shoulder, main.bottom), s, `${sized(s)} minutes`);
      set(arms[k], { d: `M${main.X(m)},${top}V${Math.min(shoulder, main.bottom)}H${main.X(edge)}` });
    });
    bar(params.share);
    both(land.X(params.means[0]), land.Y(params.means[1]), params.means[0],
      `mean of group 1 ${number(params.means[0], 1)}, of group 2 ${number(params.means[1], 1)}`);

    const walked = trail.length ? [...trail, params.means] : [];
    set(path, { d: walked.length ? line(land, walked) : "M0,0" });
    stops.replaceChildren();
    for (const [x, y] of trail) element("circle", { cx: land.X(x), cy: land.Y(y), r: 2.5 }, stops);
    set(filled, { width: Math.max(meter.at(nats) - meter.left, 0) });
    height.textContent = `log-likelihood ${number(nats, 1)}`;

    const group = (k) =>
      `Group ${k + 1}: share ${number(weights[k], 3)}, mean ${number(params.means[k], 2)}, ` +
      `width ${sized(params.widths[k])}.`;
    frame.say(
      `${group(0)} ${group(1)} Log-likelihood ${number(nats, 2)} nats. ` +
        `${trail.length ? `Steps of EM: ${trail.length}. ` : ""}${remark}`,
    );
    const { share, means, widths } = params;
    frame.expose({ share, means, widths, logLikelihood: nats, steps: trail.length });
  }
  const sized = (width) => number(width, width < 1 ? 3 : 2);

  // --- EM ---------------------------------------------------------------------------------------
  function walk(then) {
    const from = params;
    const to = step(params);
    const gain = to && logLikelihood(to) - logLikelihood(from);
    if (!to) remark = spike();
    else if (gain < ENOUGH) {
      const same = Math.abs(from.means[0] - from.means[1]) + Math.abs(from.widths[0] - from.widths[1]);
      remark = same < 1e-6
        ? "Both groups are the same, so every wait belongs to them in the same proportion, and EM stands still."
        : "EM has come to rest.";
    }
    if (remark && !to) {
      halt();
      update();
      return;
    }
    trail.push(from.means);
    target = to;
    const mix = (a, b, s) => a + s * (b - a);
    const at = (s) => ({
      share: mix(from.share, to.share, s),
      means: from.means.map((m, k) => mix(m, to.means[k], s)),
      widths: from.widths.map((w, k) => Math.exp(mix(Math.log(w), Math.log(to.widths[k]), s))),
    });
    frame.move(450, (s) => {
      params = s === 1 ? to : at(s);
      update();
    }, () => {
      target = null;
      if (then && !remark) frame.later(120, () => walk(then));
      else if (then) auto.textContent = "Run";
    });
  }
  function spike() {
    const k = params.widths[0] < params.widths[1] ? 0 : 1;
    const wait = waits.reduce((a, b) =>
      Math.abs(b - params.means[k]) < Math.abs(a - params.means[k]) ? b : a,
    );
    return (
      `Group ${k + 1} holds nothing but the waits of ${wait} minutes, and the next step would leave ` +
      "it without width: the likelihood grows without end, and EM must stop."
    );
  }
  frame.button("One step of EM", () => {
    halt();
    remark = "";
    walk();
  });
  const auto = frame.button("Run", () => {
    const going = auto.textContent === "Stop";
    halt();
    remark = "";
    update();
    if (going) return;
    frame.words.setAttribute("aria-live", "polite");
    auto.textContent = "Stop";
    walk(true);
  });
  frame.button("Start over", () => {
    byHand(start);
  });
  if (data.tries) {
    frame.button("Equal groups", () => byHand({ means: [70, 70], widths: [8, 8] }));
    frame.button("A narrow group", () => byHand({ share: 0.1, means: [78, 71], widths: [0.3, 13] }));
  }
  return { layout, update };
});
