function createMixer(root) {
  const { el } = studio;
  const self = { component: null, shown: "", strips: [] };
  const deck = createDeck({ data: () => self.component.data, tracks: () => self.strips, factor: (strip) => factor(strip) });

  const presets = el("span", { class: "presets", role: "group" });
  const list = el("div", { style: { display: "grid", gap: "0.6rem" } });
  root.append(el("header", {}, deck.title), deck.canvas, el("div", { class: "transport" }, deck.play, deck.time, presets), list, deck.trouble);

  const words = () => self.component.data.words;

  // --- levels ----------------------------------------------------------------------------------------------------
  const silenced = (strip) => strip.muted || (self.strips.some((one) => one.solo) && !strip.solo);
  const factor = (strip) => (silenced(strip) || strip.gain <= -40 ? 0 : 10 ** (strip.gain / 20));
  function apply() {
    for (const strip of self.strips) {
      strip.row.classList.toggle("off", silenced(strip));
      strip.mute.setAttribute("aria-pressed", String(strip.muted));
      strip.alone.setAttribute("aria-pressed", String(strip.solo));
      strip.slider.value = String(strip.gain);
      const shown = strip.gain <= -40 ? words().silent : studio.fill(words().decibel, { value: (strip.gain > 0 ? "+" : "") + strip.gain });
      strip.output.textContent = shown;
      strip.slider.setAttribute("aria-valuetext", shown);
      deck.level(strip);
    }
    const alike = (preset) => self.strips.every((one) => one.gain === 0 && !one.solo && one.muted === (preset === "karaoke" ? one.stem === "vocal" : preset === "acapella" && one.stem !== "vocal"));
    for (const button of presets.children) button.setAttribute("aria-pressed", String(alike(button.dataset.preset)));
  }
  function tell() {
    const levels = {};
    for (const strip of self.strips) levels[strip.stem] = { gain_db: strip.gain, muted: silenced(strip) || strip.gain <= -40 };
    self.component.setStateValue("levels", levels);
  }
  function change(strip, values) {
    Object.assign(strip, values);
    apply();
    tell();
  }
  function choose(preset) {
    for (const strip of self.strips) {
      const off = preset === "karaoke" ? strip.stem === "vocal" : preset === "acapella" && strip.stem !== "vocal";
      Object.assign(strip, { gain: 0, solo: false, muted: off });
    }
    apply();
    tell();
  }

  function build() {
    const { data } = self.component;
    const before = new Map(self.strips.map((strip) => [strip.src, strip]));
    self.strips = data.strips.map(({ stem, label: name, src }) => {
      const kept = before.get(src) || { gain: 0, muted: false, solo: false, node: null, wav: null };
      const strip = Object.assign(kept, { stem, src });
      strip.mute = el("button", { type: "button", "aria-label": studio.fill(words().mute_of, { stem: name }), onclick: () => change(strip, { muted: !strip.muted }) }, words().mute);
      strip.alone = el("button", { type: "button", "aria-label": studio.fill(words().solo_of, { stem: name }), onclick: () => change(strip, { solo: !strip.solo }) }, words().solo);
      strip.slider = el("input", { type: "range", min: -40, max: 6, step: 1, "aria-label": studio.fill(words().volume_of, { stem: name }) });
      strip.slider.addEventListener("input", () => {
        strip.gain = Number(strip.slider.value);
        apply();
      });
      strip.slider.addEventListener("change", tell);
      strip.output = el("output");
      strip.row = el("div", { class: "strip", "data-stem": stem }, el("span", { class: "name" }, name), strip.mute, strip.alone, strip.slider, strip.output);
      return strip;
    });
    list.replaceChildren(...self.strips.map((strip) => strip.row));
    presets.setAttribute("aria-label", words().presets);
    const complete = self.strips.some((one) => one.stem === "vocal") && self.strips.length > 1;
    presets.replaceChildren(
      ...(complete ? ["all", "karaoke", "acapella"] : []).map((preset) =>
        el("button", { type: "button", "data-preset": preset, onclick: () => choose(preset) }, words()[preset]),
      ),
    );
  }
  self.update = () => {
    const { data } = self.component;
    const shown = JSON.stringify([data.strips, data.words]);
    if (shown !== self.shown) {
      deck.pause();
      self.shown = shown;
      build();
      apply();
    }
    deck.update();
  };
  self.stop = deck.stop;
  return self;
}

export default function (component) {
  const self = instance(component, createMixer);
  self.update();
  return () => {
    self.stop();
    mounted.delete(component.parentElement.querySelector(".studio"));
  };
}
