// Before and after play in step; one of them is heard. Changing over is a change of two gains: the place stays.
function createCompare(root) {
  const { el } = studio;
  const self = { component: null, shown: "", sides: [], heard: "after" };
  const factor = (side) => (side.name === self.heard ? 10 ** (side.gain / 20) : 0);
  const deck = createDeck({ data: () => self.component.data, tracks: () => self.sides, factor });

  const presets = el("span", { class: "presets", role: "group" });
  const note = el("p", { class: "soft", style: { margin: "0", "font-size": "0.9rem" } });
  root.append(el("header", {}, deck.title), deck.canvas, el("div", { class: "transport" }, deck.play, deck.time, presets), note, deck.trouble);

  function hear(name) {
    self.heard = name;
    for (const side of self.sides) deck.level(side);
    for (const button of presets.children) button.setAttribute("aria-pressed", String(button.dataset.side === name));
  }
  self.update = () => {
    const { sides, words } = self.component.data;
    const shown = JSON.stringify([sides, words]);
    if (shown !== self.shown) {
      deck.pause();
      self.shown = shown;
      const before = new Map(self.sides.map((side) => [side.src, side]));
      self.sides = sides.map((side) => Object.assign(before.get(side.src) || {}, { name: side.name, src: side.src, gain: side.gain_db }));
      presets.setAttribute("aria-label", words.sides);
      presets.replaceChildren(
        ...sides.map(({ name }) => el("button", { type: "button", "data-side": name, onclick: () => hear(name) }, words[name])),
      );
      note.textContent = words.equal;
      hear(self.heard);
    }
    deck.update();
  };
  self.stop = deck.stop;
  return self;
}

export default function (component) {
  const self = instance(component, createCompare);
  self.update();
  return () => {
    self.stop();
    mounted.delete(component.parentElement.querySelector(".studio"));
  };
}
