const ALPHATAB = "/vendor/alphatab/";
const SPEEDS = [0.5, 0.75, 1, 1.25];
const PHONE = 560; // pixels: narrower sheets are drawn smaller, two bars to a line

function createTab(root) {
  const { el } = studio;
  const self = { component: null, src: null, api: null, gone: false };
  const play = el("button", { type: "button", class: "main", disabled: true });
  const again = el("button", { type: "button", disabled: true });
  const time = el("span", { class: "time soft" });
  const speed = el("select");
  const speedLabel = el("span");
  const click = el("input", { type: "checkbox" });
  const clickLabel = el("span");
  const state = el("p", { class: "soft", role: "status" });
  const paper = el("div");
  const sheet = el("div", { class: "sheet", tabindex: "0" }, paper);
  root.append(
    el("div", { class: "controls" }, play, again, el("label", {}, speedLabel, speed), el("label", {}, click, clickLabel), time),
    state,
    sheet,
  );

  const sound = { pause: () => self.api?.pause() };
  play.addEventListener("click", () => self.api?.playPause());
  again.addEventListener("click", () => self.api?.stop());
  speed.addEventListener("change", () => {
    if (self.api) self.api.playbackSpeed = Number(speed.value);
  });
  click.addEventListener("change", () => {
    if (self.api) self.api.metronomeVolume = click.checked ? 1 : 0;
  });

  function say(text, failed = false) {
    state.textContent = text;
    state.className = failed ? "error" : "soft";
    state.hidden = !text;
  }

  // alphaTab writes its rules into the document; inside this component's own root they would not reach its signs.
  function borrowStyles() {
    const rules = [...document.querySelectorAll("style[id^=alphaTabStyle]")].map((node) => node.textContent);
    root.append(el("style", {}, rules.join("\n")));
  }

  function settings() {
    const style = getComputedStyle(root);
    const ink = style.getPropertyValue("--st-text-color").trim() || "#000000";
    const small = root.clientWidth < PHONE;
    return {
      core: { scriptFile: new URL(ALPHATAB + "alphaTab.min.js", location).href, fontDirectory: ALPHATAB + "font/" },
      display: {
        scale: small ? 0.75 : 0.9,
        barsPerRow: small ? 2 : 4,
        padding: [4, 4, 4, 4],
        resources: {
          mainGlyphColor: ink,
          secondaryGlyphColor: ink,
          scoreInfoColor: ink,
          barNumberColor: ink,
          staffLineColor: ink,
          barSeparatorColor: ink,
        },
      },
      notation: { elements: { scoreTitle: false, scoreWordsAndMusic: false, scoreCopyright: false } },
      player: {
        enablePlayer: true,
        enableCursor: true,
        enableUserInteraction: true,
        soundFont: ALPHATAB + "sonivox.sf2",
        scrollElement: sheet,
        scrollOffsetY: -16,
      },
    };
  }

  async function open(src, words) {
    say(words.loading);
    try {
      await studio.script(ALPHATAB + "alphaTab.min.js");
    } catch {
      say(words.failed, true);
      return;
    }
    if (self.gone) return;
    const api = new window.alphaTab.AlphaTabApi(paper, settings());
    self.api = api;
    borrowStyles();
    api.error.on(() => say(words.failed, true));
    api.renderFinished.on(() => {
      if (!play.disabled) say("");
    });
    api.playerReady.on(() => {
      play.disabled = again.disabled = false;
      say("");
    });
    api.playerStateChanged.on((event) => {
      const playing = event.state === 1;
      label(playing);
      if (!playing) return;
      if (window.__studio.playing && window.__studio.playing !== sound) window.__studio.playing.pause();
      window.__studio.playing = sound;
    });
    api.playerPositionChanged.on((event) => {
      time.textContent = `${studio.clock(event.currentTime / 1000)} / ${studio.clock(event.endTime / 1000)}`;
    });
    api.load(src, [-1]);
  }

  function label(playing) {
    const { words } = self.component.data;
    play.textContent = playing ? words.pause : words.play;
    play.setAttribute("aria-pressed", String(playing));
  }

  self.update = () => {
    const { src, title, words } = self.component.data;
    if (self.src === src) return;
    self.src = src;
    again.textContent = words.again;
    speedLabel.textContent = words.speed;
    clickLabel.textContent = words.click;
    speed.replaceChildren(...SPEEDS.map((one) => el("option", { value: one, selected: one === 1 }, `${one * 100} %`)));
    sheet.setAttribute("aria-label", studio.fill(words.sheet, { title }));
    label(false);
    if (self.api) self.api.load(src, [-1]);
    else open(src, words);
  };
  self.stop = () => {
    self.gone = true;
    if (window.__studio.playing === sound) window.__studio.playing = null;
    self.api?.destroy();
  };
  return self;
}

export default function (component) {
  const self = instance(component, createTab);
  self.update();
  return () => {
    self.stop();
    mounted.delete(component.parentElement.querySelector(".studio"));
  };
}
