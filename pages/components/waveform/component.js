function createWaveform(root) {
  const { el } = studio;
  const self = { component: null, drawn: "" };
  const media = el("audio", { preload: "metadata" });
  const title = el("strong");
  const badges = el("span", { style: { display: "contents" } });
  const canvas = el("canvas", { role: "slider", tabindex: "0", "aria-valuemin": 0 });
  const play = el("button", { type: "button", class: "main" });
  const time = el("span", { class: "time soft" });
  const key = el("span", { class: "key" });
  const sections = el("div", { class: "sections" });
  const chords = el("div", { class: "chords" });
  root.append(el("header", {}, title, badges), sections, canvas, chords, el("footer", {}, play, time, key), media);

  const length = () => self.component.data.duration || media.duration || 1;
  const seek = (seconds) => {
    media.currentTime = Math.min(Math.max(seconds, 0), length());
    draw();
  };
  play.addEventListener("click", () => (media.paused ? media.play() : media.pause()));
  studio.seekable(canvas, { now: () => media.currentTime, length, seek, toggle: () => play.click() });
  media.addEventListener("play", () => {
    if (window.__studio.playing && window.__studio.playing !== media) window.__studio.playing.pause();
    window.__studio.playing = media;
    label();
    requestAnimationFrame(follow);
  });
  media.addEventListener("pause", label);
  media.addEventListener("seeked", draw);

  function label() {
    play.textContent = media.paused ? self.component.data.words.play : self.component.data.words.pause;
  }
  // The chord and the section that sound are marked, and the strip of chords scrolls along.
  function mark() {
    const now = media.currentTime + 0.02;
    const current = (items) => items.findLastIndex((item) => item.start <= now);
    for (const [strip, items] of [[chords, self.component.data.chords], [sections, self.component.data.sections]]) {
      const index = current(items);
      const marked = strip.querySelector("[aria-current]");
      const wanted = strip.children[index];
      if (marked === (wanted || null)) continue;
      marked?.removeAttribute("aria-current");
      if (!wanted) continue;
      wanted.setAttribute("aria-current", "true");
      strip.scrollTo({ left: wanted.offsetLeft - strip.clientWidth / 3, behavior: media.paused ? "auto" : "smooth" });
    }
  }
  const jump = (start, text, attributes = {}) => el("button", { type: "button", onclick: () => seek(start), ...attributes }, text);
  function strips() {
    const { data } = self.component;
    const drawn = JSON.stringify([data.sections, data.chords]);
    if (drawn === self.drawn) return;
    self.drawn = drawn;
    sections.replaceChildren(
      ...data.sections.map((item) =>
        jump(item.start, item.name, { class: `tone${item.tone % 6}`, title: `${studio.clock(item.start)} ${item.name}`, style: { "flex-grow": String(item.end - item.start) } }),
      ),
    );
    chords.replaceChildren(...data.chords.map((item) => jump(item.start, item.chord, { title: `${studio.clock(item.start)} ${item.roman}` })));
    sections.hidden = !data.sections.length;
    chords.hidden = !data.chords.length;
    sections.setAttribute("aria-label", data.words.sections);
    chords.setAttribute("aria-label", data.words.chords);
  }
  function follow() {
    draw();
    if (!media.paused) requestAnimationFrame(follow);
  }
  function draw() {
    const { peaks, beats, downbeats } = self.component.data;
    const paper = studio.surface(canvas);
    if (!paper) return;
    const { pen, width, height, accent, ink } = paper;
    const at = (media.currentTime / length()) * width;
    pen.globalAlpha = 0.35;
    pen.fillStyle = ink;
    if (width / Math.max(beats.length, 1) > 3) for (const beat of beats) pen.fillRect((beat / length()) * width, height - 14, 1, 14);
    pen.globalAlpha = 0.55;
    pen.fillStyle = accent;
    if (width / Math.max(downbeats.length, 1) > 3) for (const beat of downbeats) pen.fillRect((beat / length()) * width - 0.5, 0, 1.5, height);
    const middle = (height - 14) / 2;
    studio.wave(paper, peaks, at, middle, middle * 0.95);
    mark();
    time.textContent = `${studio.clock(media.currentTime)} / ${studio.clock(length())}`;
    canvas.setAttribute("aria-valuenow", String(Math.round(media.currentTime)));
    canvas.setAttribute("aria-valuetext", time.textContent);
  }
  self.update = () => {
    const { data } = self.component;
    if (media.getAttribute("src") !== data.src) media.src = data.src;
    title.textContent = data.title;
    badges.replaceChildren(...data.badges.map((text) => el("span", { class: "badge" }, text)));
    canvas.setAttribute("aria-label", `${data.title}. ${data.words.hint}`);
    canvas.setAttribute("aria-valuemax", String(Math.round(length())));
    key.replaceChildren(
      ...(data.beats.length ? [el("span", {}, el("i"), data.words.beat), el("span", {}, el("i", { class: "bar-line" }), data.words.bar)] : []),
    );
    label();
    strips();
    draw();
  };
  self.observer = new ResizeObserver(draw);
  self.observer.observe(canvas);
  self.stop = () => {
    media.pause();
    self.observer.disconnect();
  };
  return self;
}

export default function (component) {
  const self = instance(component, createWaveform);
  self.update();
  return () => {
    self.stop();
    mounted.delete(component.parentElement.querySelector(".studio"));
  };
}
