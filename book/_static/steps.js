// Shows the frames of a cell tagged `steps` one at a time: buttons, a slider, arrow keys.
// Without JavaScript the frames stay below one another.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".tag_steps .cell_output").forEach((cell) => {
    const frames = [...cell.querySelectorAll("img")];
    if (frames.length < 2) return;

    const button = (text, label, move) => {
      const element = document.createElement("button");
      element.type = "button";
      element.textContent = text;
      element.setAttribute("aria-label", label);
      element.addEventListener("click", () => show(+slider.value + move));
      return element;
    };
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: 1, max: frames.length, value: 1 });
    slider.setAttribute("aria-label", "Step");
    slider.addEventListener("input", () => show(+slider.value));
    const previous = button("◀", "Previous step", -1);
    const next = button("▶", "Next step", 1);
    const count = document.createElement("output");
    // What differs from step to step is told in words as well.
    const text = document.createElement("p");
    text.className = "steps-text";
    text.setAttribute("aria-live", "polite");
    text.hidden = new Set(frames.map((frame) => frame.alt)).size === 1;

    const show = (step) => {
      step = Math.min(Math.max(step, 1), frames.length);
      frames.forEach((frame, i) => (frame.hidden = i !== step - 1));
      slider.value = step;
      slider.setAttribute("aria-valuetext", `step ${step} of ${frames.length}`);
      count.textContent = `${step} of ${frames.length}`;
      text.textContent = frames[step - 1].alt;
      // aria-disabled and not disabled: a button that has the focus keeps it.
      previous.setAttribute("aria-disabled", step === 1);
      next.setAttribute("aria-disabled", step === frames.length);
    };

    const controls = document.createElement("div");
    controls.className = "steps-controls";
    controls.setAttribute("role", "group");
    controls.setAttribute("aria-label", "Steps of this figure");
    controls.append(previous, slider, next, count);
    controls.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!move) return;
      event.preventDefault();
      show(+slider.value + move);
    });
    frames.at(-1).after(controls, text);
    show(1);
  });
});
