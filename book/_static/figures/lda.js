// LDA on the bars: ten topics from a random start, by batch variational Bayes (eq-lda-phi,
// eq-lda-gamma, eq-lda-lambda), by collapsed variational Bayes (eq-lda-cvb0), or by one after the
// other. The handle moves along the sweeps; the curve is the bound (eq-lda-document-bound).
figures.add("figure-lda", (frame, data) => {
  const { axes, clamp, element, handle, line, number, range, set, still } = figures;
  const [K, V, SIDE] = [10, 25, 5];
  const [ALPHA, ETA] = [0.1, 0.1];
  const SWEEPS = 60;
  const COLLAPSED = 14; // sweeps of CVB0 before VB
  const BATCHES = 8; // parts of the documents, after each of which CVB0 renews the topics
  const UPDATES = 5; // of a document in one E-step
  const STILL = 1e-3; // words by which a document changes on average when it is done
  const BAR = 0.1; // the ink that a topic may have outside of its bar
  const METHODS = { VB: 2, CVB0: 1, "CVB0, then VB": 3 }; // with their colours

  // A document is a list of [word, count].
  const documents = figures.bars.map((row) =>
    [...row].map((n, v) => [v, parseInt(n, 36)]).filter(([, n]) => n > 0),
  );
  const bars = range(0, 9, 9).map((bar) =>
    range(0, V - 1, V - 1).map((v) =>
      (bar < SIDE ? v % SIDE === bar : Math.floor(v / SIDE) === bar - SIDE) ? 1 / SIDE : 0,
    ),
  );

  // --- arithmetic -----------------------------------------------------------------------------
  function digamma(x) {
    let below = 0;
    for (; x < 8; x++) below -= 1 / x;
    const y = 1 / (x * x);
    const series = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y / 132))));
    return below + Math.log(x) - 1 / (2 * x) - series;
  }
  function logGamma(x) {
    let below = 0;
    for (; x < 8; x++) below -= Math.log(x);
    const y = 1 / (x * x);
    const series = (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y / 1680))) / x;
    return below + (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series;
  }
  const total = (numbers) => numbers.reduce((a, b) => a + b, 0);
  /** E[log of the shares] under a Dirichlet distribution. */
  const expectedLog = (row) => {
    const all = digamma(total(row));
    return row.map((a) => digamma(a) - all);
  };
  /** KL of a Dirichlet distribution from the symmetric one with the parameter `prior`. */
  function divergence(row, prior) {
    const logs = expectedLog(row);
    const constant = logGamma(total(row)) - logGamma(prior * row.length);
    return row.reduce(
      (sum, a, i) => sum - logGamma(a) + logGamma(prior) + (a - prior) * logs[i],
      constant,
    );
  }
  const table = (rows, columns, value) =>
    Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => value(i, j)));
  /** mulberry32: numbers from 0 to 1, the same for a seed. */
  function generator(seed) {
    let state = seed;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  // --- the two methods: each yields { lambda, bound } before the first sweep and after each ---
  /** Σ n log Σ_k exp(T + B), the part of the bound that a document's words add. */
  const words = (document, theta, beta) =>
    document.reduce((sum, [v, n]) => {
      let norm = 0;
      for (let k = 0; k < K; k++) norm += theta[k] * beta[k][v];
      return sum + n * Math.log(norm);
    }, 0);
  const exponentials = (rows) => rows.map((row) => expectedLog(row).map(Math.exp));

  function* variational(lambda) {
    const gammas = documents.map((document) =>
      Array(K).fill(ALPHA + total(document.map(([, n]) => n)) / K),
    );
    for (;;) {
      const beta = exponentials(lambda);
      const next = table(K, V, () => ETA);
      let bound = -total(lambda.map((row) => divergence(row, ETA)));
      documents.forEach((document, m) => {
        let gamma = gammas[m];
        const expected = (theta, add) => {
          for (const [v, n] of document) {
            let norm = 0;
            for (let k = 0; k < K; k++) norm += theta[k] * beta[k][v];
            for (let k = 0; k < K; k++) add(k, v, (n * theta[k] * beta[k][v]) / norm);
          }
        };
        for (let update = 0; update < UPDATES; update++) {
          const after = Array(K).fill(ALPHA);
          expected(expectedLog(gamma).map(Math.exp), (k, v, n) => (after[k] += n));
          const change = total(after.map((g, k) => Math.abs(g - gamma[k]))) / K;
          gamma = after;
          if (change < STILL) break;
        }
        gammas[m] = gamma;
        const theta = expectedLog(gamma).map(Math.exp);
        expected(theta, (k, v, n) => (next[k][v] += n));
        bound += words(document, theta, beta) - divergence(gamma, ALPHA);
      });
      yield { lambda, bound };
      lambda = next;
    }
  }

  function* collapsed(random) {
    const phi = documents.map((document) =>
      document.map(() => {
        const draws = Array.from({ length: K }, () => -Math.log(1 - random()));
        const sum = total(draws);
        return draws.map((draw) => draw / sum); // uniform on the simplex
      }),
    );
    const ofDocument = (m) => {
      const counts = Array(K).fill(0);
      documents[m].forEach(([, n], i) => phi[m][i].forEach((share, k) => (counts[k] += n * share)));
      return counts;
    };
    const ofWord = table(K, V, () => 0);
    documents.forEach((document, m) =>
      document.forEach(([v, n], i) => phi[m][i].forEach((share, k) => (ofWord[k][v] += n * share))),
    );
    for (;;) {
      const lambda = ofWord.map((row) => row.map((n) => n + ETA));
      const beta = exponentials(lambda);
      let bound = -total(lambda.map((row) => divergence(row, ETA)));
      documents.forEach((document, m) => {
        const gamma = ofDocument(m).map((n) => n + ALPHA);
        bound += words(document, expectedLog(gamma).map(Math.exp), beta) - divergence(gamma, ALPHA);
      });
      yield { lambda, bound };
      for (let batch = 0; batch < BATCHES; batch++) {
        const frozen = ofWord.map((row) => [...row]);
        const ofTopic = frozen.map((row) => total(row) + V * ETA);
        for (let m = batch; m < documents.length; m += BATCHES) {
          const counts = ofDocument(m);
          documents[m].forEach(([v, n], i) => {
            const old = phi[m][i];
            const fresh = old.map((own, k) =>
              Math.max(
                ((counts[k] + ALPHA - own) * (frozen[k][v] + ETA - own)) / (ofTopic[k] - own),
                1e-30,
              ),
            );
            const sum = total(fresh);
            phi[m][i] = fresh.map((share) => share / sum);
            phi[m][i].forEach((share, k) => (ofWord[k][v] += n * (share - old[k])));
          });
        }
      }
    }
  }

  function* both(random) {
    let last;
    for (const state of collapsed(random)) {
      last = state;
      if (!both.sweeps--) break;
      yield state;
    }
    yield* variational(last.lambda);
  }

  // --- the state --------------------------------------------------------------------------------
  let seed = 1;
  let method = data.method;
  let sweep = +data.sweep;
  let runs = {};
  let parts;

  function begin(name) {
    const random = generator(seed);
    if (name === "VB") return variational(table(K, V, () => 0.8 + 0.4 * random()));
    if (name === "CVB0") return collapsed(random);
    both.sweeps = COLLAPSED;
    return both(random);
  }
  /** The states of a method up to a sweep, computed when they are wanted. */
  function states(name, upTo) {
    runs[name] ??= { source: begin(name), states: [] };
    while (runs[name].states.length <= upTo) runs[name].states.push(runs[name].source.next().value);
    return runs[name].states;
  }
  const shares = (lambda) => lambda.map((row) => row.map((x) => x / total(row)));
  /** For each topic the bar that it shows, or −1. */
  const shown = (topics) =>
    topics.map((topic) =>
      bars.findIndex((bar) => total(bar.map((ink, v) => Math.abs(ink - topic[v]))) / 2 < BAR),
    );

  function go(to) {
    sweep = clamp(Math.round(to), [0, SWEEPS]);
    update();
  }

  // --- drawing ------------------------------------------------------------------------------------
  function layout(width) {
    const { svg } = frame;
    const wide = width >= 600;
    const left = 48;
    const columns = wide ? 10 : 5;
    const gap = 12;
    const size = Math.floor((width - 20 - gap * (columns - 1)) / columns / SIDE) * SIDE;
    const step = (width - 20 - size) / (columns - 1);
    const images = range(0, K - 1, K - 1).map((k) => {
      const [x, y] = [5 + Math.round((k % columns) * step), 6 + Math.floor(k / columns) * (size + gap)];
      const pixel = size / SIDE;
      const pixels = range(0, V - 1, V - 1).map((v) =>
        element("rect", {
          ...{ x: x + (v % SIDE) * pixel, y: y + Math.floor(v / SIDE) * pixel },
          ...{ width: pixel, height: pixel, class: "drag-fill", "aria-hidden": true },
        }, svg),
      );
      const border = element("rect", {
        ...{ x: x - 3, y: y - 3, width: size + 6, height: size + 6, fill: "none", "aria-hidden": true },
      }, svg);
      return { pixels, border };
    });
    const bottom = 6 + (K / columns) * (size + gap);
    const plot = axes(svg, {
      ...{ left, top: bottom + 34, width: width - left - 10, height: 170 },
      ...{ x: [0, SWEEPS], y: [-100, -62], xticks: [0, 10, 20, 30, 40, 50, 60] },
      ...{ yticks: [-100, -90, -80, -70], xlabel: "sweeps", ylabel: "bound, in thousands of nats" },
    });
    const curves = Object.entries(METHODS).map(([name, color], i) => {
      const kind = `drag-line drag-line-${color}${["", " drag-dash", " drag-dots"][i]}`;
      const y = plot.bottom - 62 + i * 22;
      const x = plot.right - 148;
      element("path", { d: `M${x},${y}h28`, class: kind, "aria-hidden": true }, svg);
      element("text", { x: x + 36, y: y + 5, class: `drag-ink-${color}`, "aria-hidden": true }, svg, name);
      return [name, element("path", { class: kind }, plot.inside)];
    });
    const rail = element("path", { class: "drag-faint drag-dots", "aria-hidden": true }, svg);
    const place = handle(svg, {
      ...{ label: "Sweep", min: 0, max: SWEEPS, start: halt },
      drag: (x) => go(plot.x(x)),
      step: (steps) => go(sweep + steps),
      jump: (end) => go(end * SWEEPS),
    });
    parts = { images, plot, curves, rail, place };
    return plot.bottom + 48;
  }

  function update() {
    const { images, plot, curves, rail, place } = parts;
    const { lambda, bound } = states(method, sweep)[sweep];
    const topics = shares(lambda);
    const found = shown(topics);
    images.forEach(({ pixels, border }, k) => {
      pixels.forEach((pixel, v) =>
        pixel.setAttribute("fill-opacity", Math.min(topics[k][v] * SIDE, 1).toFixed(2)),
      );
      border.setAttribute("class", found[k] < 0 ? "drag-axis" : "drag-line drag-line-3");
      border.style.strokeWidth = found[k] < 0 ? 1 : 4;
    });
    for (const [name, curve] of curves) {
      const points = runs[name]?.states.map((state, i) => [i, state.bound / 1000]) ?? [];
      set(curve, { d: points.length > 1 ? line(plot, points) : "M0,0" });
      curve.style.strokeWidth = name === method ? 3 : 1.5;
    }
    const [x, y] = [plot.X(sweep), clamp(plot.Y(bound / 1000), [plot.top, plot.bottom])];
    set(rail, { d: `M${x},${plot.bottom}V${y}` });
    const count = new Set(found.filter((bar) => bar >= 0)).size;
    const said = `${count} of 10 bars are found`;
    place(x, y, sweep, `${sweep}, ${said}`);
    frame.say(
      `${method}, start ${seed}, sweep ${sweep}: ${said}${count ? " (framed)" : ""}. ` +
        `Bound ${number(bound, 0)} nats.`,
    );
    for (const [name, button] of Object.entries(choices)) {
      button.setAttribute("aria-pressed", name === method);
    }
    frame.expose({ method, seed, sweep, bound, found: count, lambda: lambda.flat() });
  }

  // --- running ------------------------------------------------------------------------------------
  function run() {
    if (sweep >= SWEEPS) return halt();
    go(sweep + 1);
    frame.later(90, run);
  }
  function halt() {
    frame.stop();
    auto.textContent = "Run";
  }
  frame.button("One sweep", () => {
    halt();
    go(sweep + 1);
  });
  const auto = frame.button("Run", () => {
    const going = auto.textContent === "Stop";
    halt();
    if (going) return;
    if (sweep >= SWEEPS) sweep = 0;
    if (still()) return go(SWEEPS);
    auto.textContent = "Stop";
    run();
  });
  frame.button("Another start", () => {
    halt();
    seed++;
    runs = {};
    go(0);
  });
  const choices = Object.fromEntries(
    Object.keys(METHODS).map((name) => [
      name,
      frame.button(name, () => {
        halt();
        method = name;
        update();
      }),
    ]),
  );
  return { layout, update };
});
