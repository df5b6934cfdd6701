"use strict";
(() => {
  const bar = document.querySelector(".bar-filters");
  const cases = [...document.querySelectorAll(".case")].map((node) => ({ node, text: null }));
  const find = bar.querySelector("[data-find]");
  const kind = bar.querySelector("[data-kind]");
  const buttons = [...bar.querySelectorAll("[data-show]")];
  let show = "all";
  bar.hidden = false;
  const apply = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const each of cases) {
      const data = each.node.dataset;
      let fits = (show === "all" || data[show] === "1") && (!kind || !kind.value || data.kind === kind.value);
      if (fits && words.length) {
        each.text ??= each.node.textContent.toLowerCase();
        fits = words.every((word) => each.text.includes(word));
      }
      each.node.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const group of document.querySelectorAll(".group")) {
      group.hidden = !group.querySelector(".case:not([hidden])");
    }
    document.querySelector("[data-empty]").hidden = shown > 0;
    bar.querySelector("[data-count]").textContent = shown === cases.length ? "" : `${shown} shown`;
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      show = button.dataset.show;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      apply();
    });
  }
  let waiting = 0;
  find.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  if (kind) kind.addEventListener("change", apply);
})();
