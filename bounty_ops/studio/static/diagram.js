// Lights up a table that is pointed at, what it refers to, and what refers to it.
(() => {
  const picture = document.querySelector(".studio-picture svg");
  if (!picture) return;
  const boxes = new Map(
    [...picture.querySelectorAll(".table-box")].map((box) => [box.id.slice("table-".length), box]),
  );
  const edges = [...picture.querySelectorAll(".edge")];

  const show = (name) => {
    const near = new Set([name]);
    for (const edge of edges) {
      const { from, to } = edge.dataset;
      const lit = name !== null && (from === name || to === name);
      edge.classList.toggle("lit", lit);
      if (lit) near.add(from).add(to);
    }
    for (const [other, box] of boxes) box.classList.toggle("near", near.has(other));
    picture.classList.toggle("pointed", name !== null);
  };

  for (const [name, box] of boxes) {
    box.addEventListener("pointerenter", () => show(name));
    box.addEventListener("pointerleave", () => show(null));
    box.addEventListener("focusin", () => show(name));
    box.addEventListener("focusout", () => show(null));
    // The pointer may have been there before this script was.
    if (box.matches(":hover")) show(name);
  }
})();
