// What the figures to drag share: elements of SVG, axes, handles, buttons, and the frame of one.
//
// A figure calls figures.add(class, build). `build` gets the frame and the data-* attributes of its
// <div>, and returns two functions: layout(width) draws all that stays, and update() moves the
// rest. One unit of the drawing is one CSS pixel, so text has its size at every width.
const figures = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  let count = 0;

  function set(node, attributes) {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  }

  function element(name, attributes, parent, text) {
    const node = set(document.createElementNS(SVG, name), attributes);
    if (text !== undefined) node.textContent = text;
    parent?.append(node);
    return node;
  }

  const clamp = (value, [low, high]) => Math.min(Math.max(value, low), high);

  /** A number as it is printed, with a true minus sign and without a negative zero. */
  function number(value, digits = 0) {
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    return value.toFixed(digits).replace(/^-(?=[0.]*$)/, "").replace("-", "−");
  }

  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  // --- axes ---------------------------------------------------------------------------------

  /** Draw axes in a box; return the scales both ways and a group that clips at the box. */
  function axes(svg, { left, top, width, height, x, y, xticks, yticks, xlabel, ylabel }) {
    const right = left + width;
    const bottom = top + height;
    const X = (value) => left + ((value - x[0]) / (x[1] - x[0])) * width;
    const Y = (value) => bottom - ((value - y[0]) / (y[1] - y[0])) * height;
    const group = element("g", { class: "drag-axes", "aria-hidden": true }, svg);
    element("path", { d: `M${left},${top}V${bottom}H${right}`, class: "drag-axis" }, group);
    for (const tick of xticks ?? []) {
      element("path", { d: `M${X(tick)},${bottom}v5`, class: "drag-axis" }, group);
      const at = { x: X(tick), y: bottom + 20, "text-anchor": "middle" };
      element("text", at, group, String(tick).replace("-", "−"));
    }
    for (const tick of yticks ?? []) {
      element("path", { d: `M${left},${Y(tick)}h-5`, class: "drag-axis" }, group);
      const at = { x: left - 8, y: Y(tick) + 5, "text-anchor": "end" };
      element("text", at, group, String(tick).replace("-", "−"));
    }
    const under = { x: (left + right) / 2, y: bottom + 41, "text-anchor": "middle" };
    if (xlabel) element("text", under, group, xlabel);
    if (ylabel) element("text", { x: left, y: top - 9 }, group, ylabel);
    const id = `drag-clip-${++count}`;
    const clip = element("clipPath", { id }, group);
    element("rect", { x: left, y: top, width, height }, clip);
    const inside = element("g", { "clip-path": `url(#${id})`, "aria-hidden": true }, svg);
    return {
      ...{ X, Y, left, top, right, bottom, width, height, inside },
      x: (pixel) => clamp(x[0] + ((pixel - left) / width) * (x[1] - x[0]), x),
      y: (pixel) => clamp(y[0] + ((bottom - pixel) / height) * (y[1] - y[0]), y),
    };
  }

  /** The path through points (x, y) in the units of some axes. */
  const line = (at, points) =>
    points.map(([x, y], i) => `${i ? "L" : "M"}${at.X(x).toFixed(1)},${at.Y(y).toFixed(1)}`).join("");

  const range = (low, high, count) =>
    Array.from({ length: count + 1 }, (_, i) => low + ((high - low) * i) / count);

  /** Contours of f on a grid of axes, by marching squares: one path a level. */
  function contours(at, xs, ys, f, levels) {
    const paths = levels.map(() => []);
    const cut = (a, b, fa, fb, level) => {
      const share = (level - fa) / (fb - fa);
      return `${(a[0] + share * (b[0] - a[0])).toFixed(1)},${(a[1] + share * (b[1] - a[1])).toFixed(1)}`;
    };
    for (let i = 1; i < xs.length; i++) {
      for (let j = 1; j < ys.length; j++) {
        const corners = [[i - 1, j - 1], [i, j - 1], [i, j], [i - 1, j]];
        const values = corners.map(([a, b]) => f[a][b]);
        const low = Math.min(...values);
        const high = Math.max(...values);
        levels.forEach((level, l) => {
          if (!(low < level && level <= high)) return;
          const ends = [];
          for (let c = 0; c < 4; c++) {
            const d = (c + 1) % 4;
            if (values[c] < level === values[d] < level) continue;
            const [a, b] = [corners[c], corners[d]].map(([p, q]) => [at.X(xs[p]), at.Y(ys[q])]);
            ends.push(cut(a, b, values[c], values[d], level));
          }
          for (let e = 0; e + 1 < ends.length; e += 2) paths[l].push(`M${ends[e]}L${ends[e + 1]}`);
        });
      }
    }
    return paths.map((pieces) => pieces.join(""));
  }

  // --- handles ------------------------------------------------------------------------------

  const REACH = 22; // pixels around the centre of a handle
  const grips = new WeakMap(); // of each drawing: what can be dragged in it

  /**
   * Let a pointer drag a node. `drag` gets the position in the drawing, less the first miss.
   * Where several can be reached, as with two groups at one place, the nearest is taken.
   */
  function grip(svg, node, { drag, centre, start, end }) {
    node.classList.add("drag-grip");
    let miss = null;
    const place = (event) => {
      const box = svg.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const middle = () => {
      const [box, own] = [svg, node].map((one) => one.getBoundingClientRect());
      return [(own.left + own.right) / 2 - box.left, (own.top + own.bottom) / 2 - box.top];
    };
    const take = (event) => {
      const [x, y] = place(event);
      const [cx, cy] = (centre ?? middle)();
      miss = [x - cx, y - cy];
      node.setPointerCapture(event.pointerId);
      node.classList.add("dragged");
      node.focus?.({ preventScroll: true });
      start?.();
      event.preventDefault();
    };
    const mine = { node, take, centre: centre ?? middle };
    const all = (grips.get(svg) ?? []).filter((other) => other.node.isConnected);
    grips.set(svg, [...all, mine]);
    // A finger on a handle does not scroll; browsers heed touch-action on whole drawings only.
    node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    node.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const [x, y] = place(event);
      const far = ({ centre }) => Math.hypot(x - centre()[0], y - centre()[1]);
      const near = grips.get(svg).filter((one) => far(one) <= REACH);
      const nearest = near.reduce((a, b) => (far(b) <= far(a) ? b : a), near[0] ?? mine);
      nearest.take(event);
    });
    node.addEventListener("pointermove", (event) => {
      if (!miss) return;
      const [x, y] = place(event);
      drag(x - miss[0], y - miss[1]);
    });
    const drop = () => {
      if (!miss) return;
      miss = null;
      node.classList.remove("dragged");
      end?.();
    };
    node.addEventListener("pointerup", drop);
    node.addEventListener("pointercancel", drop);
  }

  const KEYS = {
    ...{ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] },
    ...{ PageUp: [0, 10], PageDown: [0, -10] },
  };

  /**
   * A handle: a disc to drag that is a slider to the keyboard and to screen readers.
   * `drag` gets pixels, `step` a number of steps to the right and up, Home and End call `jump`
   * with 0 and 1. A handle that moves one way only takes all arrows for that way.
   * Returns a function that places it.
   */
  function handle(svg, options) {
    const { label, className = "", plane = false, min, max, drag, step, jump, start, end } = options;
    const slider = { role: "slider", tabindex: 0, "aria-label": label };
    if (plane) slider["aria-roledescription"] = "handle, moves both ways";
    const node = element("g", { class: `drag-handle ${className}`, ...slider }, svg);
    node.classList.toggle("plane", plane);
    set(node, { "aria-valuemin": min, "aria-valuemax": max });
    element("circle", { r: REACH, class: "drag-target" }, node);
    element("circle", { r: 14, class: "drag-focus" }, node);
    element("circle", { r: 9, class: "drag-knob" }, node);
    let here = [0, 0];
    grip(svg, node, { drag, centre: () => here, start, end });
    node.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const ends = { Home: 0, End: 1 };
      if (event.key in ends && jump) jump(ends[event.key]);
      else if (event.key in KEYS) {
        const [right, up] = KEYS[event.key].map((move) => move * (event.shiftKey ? 10 : 1));
        start?.();
        if (plane) step(right, up);
        else step(right + up);
        end?.();
      } else return;
      event.preventDefault();
    });
    return (x, y, value, text) => {
      here = [x, y];
      set(node, { transform: `translate(${x.toFixed(1)},${y.toFixed(1)})` });
      set(node, { "aria-valuenow": value, "aria-valuetext": text });
    };
  }

  /**
   * A bar cut in two shares that add up to one, with a handle at the cut.
   * Returns a function that sets the first share.
   */
  function shares(svg, { left, top, width, label, names, change, start }) {
    const parts = [1, 2].map((k) =>
      element("rect", { y: top, height: 18, class: `drag-fill-${k}`, "aria-hidden": true }, svg),
    );
    const words = [
      element("text", { x: left, y: top + 37, class: "drag-ink-1", "aria-hidden": true }, svg),
      element("text", {
        ...{ x: left + width, y: top + 37, class: "drag-ink-2", "text-anchor": "end" },
        "aria-hidden": true,
      }, svg),
    ];
    let share = 0;
    const put = (value) => change(Math.round(clamp(value, [0, 1]) * 1000) / 1000);
    const place = handle(svg, {
      ...{ label, min: 0, max: 1, start },
      drag: (x) => put((x - left) / width),
      step: (steps) => put(share + steps / 100),
      jump: (end) => put(end),
    });
    return (value) => {
      share = value;
      set(parts[0], { x: left, width: width * value });
      set(parts[1], { x: left + width * value, width: width * (1 - value) });
      words.forEach((word, k) => {
        word.textContent = `${names[k]} ${number(k ? 1 - value : value, 3)}`;
      });
      place(left + width * value, top + 9, value, `${names[0]} ${number(value, 3)}`);
    };
  }

  // --- the frame of a figure ----------------------------------------------------------------

  /** Put a drawing, buttons and a line of words into a <div>. */
  function frame(div, name) {
    const svg = element("svg", { class: "drag-drawing", role: "group", "aria-label": name });
    const controls = document.createElement("div");
    controls.className = "drag-controls";
    const words = document.createElement("p");
    words.className = "drag-words";
    let motion = 0;

    return {
      ...{ div, svg, controls, words },
      button(text, act, label) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = text;
        if (label) button.setAttribute("aria-label", label);
        button.addEventListener("click", () => {
          words.setAttribute("aria-live", "polite"); // what a button did is read out
          act();
        });
        controls.append(button);
        return button;
      },
      /** Say in words what is seen; a handle that moves has read out its own value. */
      say(text) {
        words.textContent = text.replaceAll("= ", "=\u00a0").replace(/([a-z])-([a-z])/g, "$1\u2011$2");
      },
      /** Show numbers to whoever reads the page by program. */
      expose(values) {
        for (const [key, value] of Object.entries(values)) {
          div.dataset[key] = Array.isArray(value) ? value.join(" ") : value;
        }
      },
      /** Call step(share) with shares from 0 to 1 in so many milliseconds, then done(). */
      move(milliseconds, step, done) {
        const mine = ++motion;
        if (still()) {
          step(1);
          done?.();
          return;
        }
        const begin = performance.now();
        const next = (now) => {
          if (mine !== motion) return; // something else moves
          const share = clamp((now - begin) / milliseconds, [0, 1]);
          step(share * share * (3 - 2 * share));
          if (share < 1) requestAnimationFrame(next);
          else done?.();
        };
        requestAnimationFrame(next);
      },
      /** Call again in so many milliseconds, unless something else begins to move. */
      later(milliseconds, act) {
        const mine = ++motion;
        setTimeout(() => mine === motion && act(), milliseconds);
      },
      stop() {
        motion++;
        words.setAttribute("aria-live", "off");
      },
    };
  }

  /** Draw a figure in the place of the picture that stands in its <div>. */
  function mount(div, name, build) {
    const picture = div.querySelector("img");
    const it = frame(div, picture?.alt ?? name);
    const { layout, update } = build(it, div.dataset);
    let width = 0;
    const draw = () => {
      const now = Math.floor(div.clientWidth);
      if (!now || now === width) return;
      width = now;
      const focus = [...it.svg.querySelectorAll("[tabindex]")].indexOf(document.activeElement);
      it.svg.replaceChildren();
      const height = layout(width);
      set(it.svg, { width, height, viewBox: `0 0 ${width} ${height}` });
      update();
      if (focus >= 0) it.svg.querySelectorAll("[tabindex]")[focus]?.focus();
    };
    div.classList.add("drag");
    if (div.dataset.buttons === "above") div.replaceChildren(it.controls, it.svg, it.words);
    else div.replaceChildren(it.svg, it.controls, it.words);
    new ResizeObserver(draw).observe(div);
    draw();
    div.dataset.ready = "yes";
  }

  /** Draw figure `name` in every <div> of its class, when it comes within a screen of the view. */
  function add(name, build) {
    const soon = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          if (!isIntersecting) continue;
          soon.unobserve(target);
          mount(target, name, build);
        }
      },
      { rootMargin: "100%" },
    );
    document.querySelectorAll(`div.${name}`).forEach((div) => soon.observe(div));
  }

  return { add, axes, clamp, contours, element, grip, handle, line, number, range, set, shares, still };
})();
