const SAVE_AFTER = 700; // milliseconds of rest before an edit is stored
const SPEEDS = [0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 3, 4, 6, 8, 16];
const FAST = 4; // above this nobody understands what is said: as in the result, the sound goes down
const RATIOS = { "16:9": 16 / 9, "9:16": 9 / 16, "4:5": 4 / 5, "1:1": 1 };

function createTimeline(root) {
  const { el } = studio;
  const self = { component: null, version: -1, expected: -1, pieces: [], changed: new Map(), history: [], zoom: 1, cursor: 0 };
  const data = () => self.component.data;
  const say = (key, values = {}) => studio.fill(data().words_of[key], values);
  const seconds = (frame) => frame / data().fps;
  const length = () => data().frames / data().fps;

  // --- parts -----------------------------------------------------------------------------------------------------
  const video = el("video", { playsinline: true, preload: "auto" });
  const caption = el("div", { class: "caption", "aria-hidden": "true" });
  const frame = el("div", { class: "frame" }, video, caption);
  const stage = el("div", { class: "stage" }, frame);
  const cutWord = el("button", { type: "button" });
  const fixWord = el("button", { type: "button" });
  const heading = el("strong");
  const text = el("div", { class: "text", role: "group" });
  const side = el("div", { class: "side" }, el("div", { class: "tools" }, heading, cutWord, fixWord), text);
  const play = el("button", { type: "button", class: "main" });
  const time = el("span", { class: "time" });
  const skip = el("input", { type: "checkbox" });
  skip.checked = true;
  const skipLabel = el("span");
  const shape = el("select");
  const pace = el("select", { class: "pace" });
  const split = el("button", { type: "button" });
  const undo = el("button", { type: "button" });
  const closer = el("button", { type: "button" }, "+");
  const wider = el("button", { type: "button" }, "−");
  const sum = el("span", { class: "sum", "aria-live": "polite" });
  const controls = el("div", { class: "controls" }, play, time, el("label", {}, skip, skipLabel), shape, pace, split, undo, el("span", { class: "pair" }, wider, closer), sum);
  const canvas = el("canvas");
  const head = el("div", { class: "head" });
  const lane = el("div", { style: { display: "contents" } });
  const inner = el("div", { class: "inner" }, canvas, lane, head);
  const scroll = el("div", { class: "scroll", tabindex: "-1" }, inner);
  const legend = el("div", { class: "legend" });
  root.append(stage, side, controls, scroll, legend);
  const sheet = new Image();
  sheet.onload = () => draw();

  // --- the edit --------------------------------------------------------------------------------------------------
  function pieceAt(frameNumber) {
    let low = 0;
    let high = self.pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (self.pieces[middle][0] <= frameNumber) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  function remember() {
    self.history.push({ pieces: self.pieces.map((piece) => [...piece]), texts: data().words.map((_, index) => wordText(index)) });
    if (self.history.length > 200) self.history.shift();
  }

  function setKept(from, to, kept) {
    const next = [];
    for (const piece of self.pieces) {
      const [start, end] = piece;
      if (end <= from || start >= to) {
        next.push(piece);
        continue;
      }
      if (start < from) next.push([start, from, ...piece.slice(2)]);
      next.push([Math.max(start, from), Math.min(end, to), kept, "user", kept && piece[2] ? piece[4] : 1]);
      if (end > to) next.push([to, end, ...piece.slice(2)]);
    }
    self.pieces = [];
    for (const piece of next) {
      const last = self.pieces.at(-1);
      const joinable = last && last[2] === piece[2] && last[3] === "user" && piece[3] === "user" && last[4] === piece[4];
      if (joinable) last[1] = piece[1];
      else self.pieces.push([...piece]);
    }
  }

  // A removed piece keeps its reason when it is taken back, so that it can go again, and has no speed
  // (core/video/timeline_edit.py).
  function toggle(index) {
    const [start, end, kept, reason] = self.pieces[index];
    self.pieces[index] = [start, end, !kept, kept && ["speech", "source", "beat", "off_beat"].includes(reason) ? "user" : reason, 1];
  }

  // The piece under the mark is the one whose speed is shown and set.
  const here = () => pieceAt(Math.min(Math.floor(video.currentTime * data().fps + 1e-6), data().frames - 1));
  pace.addEventListener("change", () => {
    const index = here();
    if (self.pieces[index]?.[2]) edited(() => (self.pieces[index][4] = Number(pace.value)));
  });
  split.addEventListener("click", () => {
    const index = here();
    const [start, end, ...rest] = self.pieces[index];
    const at = Math.round(video.currentTime * data().fps);
    if (at > start && at < end) edited(() => self.pieces.splice(index, 1, [start, at, ...rest], [at, end, ...rest]));
  });
  function showPace(piece, index) {
    for (const node of lane.querySelectorAll(".here")) if (Number(node.dataset.index) !== index) node.classList.remove("here");
    lane.children[index]?.classList.add("here");
    const speed = piece?.[2] ? piece[4] : 1;
    const options = [...new Set([...SPEEDS, speed])].sort((a, b) => a - b);
    if ([...pace.options].map((item) => Number(item.value)).join() !== options.join()) {
      pace.replaceChildren(...options.map((item) => el("option", { value: String(item) }, `×${item}`)));
    }
    pace.value = String(speed);
    pace.disabled = !piece?.[2];
  }

  let saving = null;
  function save() {
    clearTimeout(saving);
    saving = setTimeout(() => {
      saving = null;
      self.expected = data().version + 1;
      self.component.setTriggerValue("edit", { version: data().version, pieces: self.pieces, words: [...self.changed] });
    }, SAVE_AFTER);
  }

  function edited(act) {
    remember();
    act();
    redraw();
    save();
  }

  undo.addEventListener("click", () => {
    const last = self.history.pop();
    if (!last) return;
    self.pieces = last.pieces;
    self.changed = new Map([...last.texts.entries()].filter(([index, word]) => word !== data().words[index][0]));
    redraw();
    save();
  });

  // --- words -----------------------------------------------------------------------------------------------------
  const wordText = (index) => self.changed.get(index) ?? data().words[index][0];
  const wordGone = (index) => {
    const [, start, end] = data().words[index];
    const piece = self.pieces[pieceAt(Math.floor(((start + end) / 2) * data().fps))];
    return piece ? !piece[2] : false;
  };
  const unspaced = (char) => /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]/.test(char);
  const glue = (before, after) => (before && after && unspaced(before.at(-1)) && unspaced(after[0]) ? "" : " ");

  function wordFrames(first, last) {
    const words = data().words;
    const before = first > 0 ? words[first - 1][2] : 0;
    const after = last + 1 < words.length ? words[last + 1][1] : length();
    const start = words[first][1];
    const end = words[last][2];
    const from = Math.max((before + start) / 2, start - 0.12, 0);
    const to = Math.min((end + after) / 2, end + 0.12, length());
    return [Math.max(0, Math.round(from * data().fps)), Math.min(data().frames, Math.round(to * data().fps))];
  }

  let picked = null; // [first, last] of the selected words
  function pick(first, last = first) {
    picked = first === null ? null : [Math.min(first, last), Math.max(first, last)];
    for (const [index, node] of nodes.entries()) {
      node.classList.toggle("picked", Boolean(picked) && index >= picked[0] && index <= picked[1]);
    }
    cutWord.disabled = !picked;
    fixWord.disabled = !picked || picked[0] !== picked[1];
    cutWord.textContent = picked && wordGone(picked[0]) ? say("keep_word") : say("cut_word");
  }

  function strike() {
    if (!picked) return;
    const gone = wordGone(picked[0]);
    const [from, to] = wordFrames(picked[0], picked[1]);
    edited(() => setKept(from, to, gone));
    pick(picked[0], picked[1]);
  }

  function correct(index) {
    const node = nodes[index];
    const input = el("input", { type: "text", "aria-label": say("correct") });
    input.value = wordText(index);
    input.style.width = `${Math.max(6, input.value.length + 2)}ch`;
    let open = true;
    const close = (keep) => {
      if (!open) return;
      open = false;
      const value = input.value.trim();
      node.textContent = wordText(index);
      if (keep && value && value !== wordText(index)) edited(() => self.changed.set(index, value));
      node.focus();
    };
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") close(true);
      if (event.key === "Escape") close(false);
    });
    input.addEventListener("click", (event) => event.stopPropagation());
    input.addEventListener("blur", () => close(true));
    node.replaceChildren(input);
    input.focus();
    input.select();
  }

  let nodes = [];
  function layWords() {
    nodes = [];
    const paragraphs = [];
    let paragraph = null;
    data().words.forEach(([, start, , probability], index) => {
      const previous = index ? data().words[index - 1] : null;
      const long = paragraph && paragraph.childElementCount > 45;
      if (!previous || start - previous[2] > 1.2 || (long && /[.!?…]$/.test(previous[0]))) {
        paragraph = el("p", {}, el("time", {}, studio.clock(start)));
        paragraphs.push(paragraph);
      } else {
        paragraph.append(glue(wordText(index - 1), wordText(index)));
      }
      const node = el("span", { class: "word", role: "button", tabindex: index ? "-1" : "0", "data-index": index, lang: data().language || null });
      node.classList.toggle("unsure", probability < 0.5);
      nodes.push(node);
      paragraph.append(node);
    });
    text.replaceChildren(...paragraphs);
    if (!nodes.length) text.append(el("p", { class: "soft" }, say("no_words")));
  }

  const indexOf = (event) => {
    const node = event.target.closest?.(".word");
    return node ? Number(node.dataset.index) : null;
  };
  text.addEventListener("click", (event) => {
    const index = indexOf(event);
    if (index === null) return;
    if (event.shiftKey && picked) pick(picked[0], index);
    else {
      pick(index);
      seek(data().words[index][1]);
    }
    focusWord(index);
  });
  text.addEventListener("dblclick", (event) => {
    const index = indexOf(event);
    if (index !== null) correct(index);
  });
  function focusWord(index) {
    for (const node of nodes) node.tabIndex = -1;
    nodes[index].tabIndex = 0;
    nodes[index].focus({ preventScroll: false });
  }
  text.addEventListener("keydown", (event) => {
    const index = indexOf(event);
    if (index === null) return;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 }[event.key];
    if (step) {
      const next = Math.min(Math.max(index + step, 0), nodes.length - 1);
      if (event.shiftKey && picked) pick(picked[0] === index && step < 0 ? next : picked[0], next);
      else pick(next);
      focusWord(next);
    } else if (event.key === "Enter") {
      pick(index);
      seek(data().words[index][1]);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      if (!picked) pick(index);
      strike();
    } else if (event.key === "F2") correct(index);
    else return;
    event.preventDefault();
  });
  cutWord.addEventListener("click", strike);
  fixWord.addEventListener("click", () => picked && correct(picked[0]));

  // --- playing ---------------------------------------------------------------------------------------------------
  function seek(position) {
    video.currentTime = Math.min(Math.max(position, 0), length());
    tick();
  }
  play.addEventListener("click", () => (video.paused ? video.play() : video.pause()));
  video.addEventListener("click", () => play.click());
  video.addEventListener("play", () => {
    if (window.__studio.playing && window.__studio.playing !== video) window.__studio.playing.pause();
    window.__studio.playing = video;
    nameControls();
    requestAnimationFrame(follow);
  });
  video.addEventListener("pause", nameControls);
  video.addEventListener("seeked", tick);
  video.addEventListener("loadedmetadata", tick);
  function follow() {
    tick();
    if (!video.paused) requestAnimationFrame(follow);
  }

  function tick() {
    const now = video.currentTime;
    const at = Math.floor(now * data().fps + 1e-6);
    const index = pieceAt(at);
    const piece = self.pieces[index];
    if (!video.paused && skip.checked && piece && !piece[2]) {
      const next = self.pieces.slice(index).find((item) => item[2]);
      if (next) video.currentTime = seconds(next[0]) + 0.001;
      else video.pause();
      return;
    }
    const rate = skip.checked && piece?.[2] ? piece[4] : 1;
    if (video.playbackRate !== rate) {
      video.playbackRate = rate;
      video.volume = rate > FAST ? 0.25 : 1;
    }
    showPace(piece, index);
    head.style.left = `${(now / length()) * inner.offsetWidth}px`;
    time.textContent = `${studio.clock(now, true)} / ${studio.clock(length())}`;
    if (!video.paused) {
      const x = (now / length()) * inner.offsetWidth;
      if (x < scroll.scrollLeft || x > scroll.scrollLeft + scroll.clientWidth) scroll.scrollLeft = x - 40;
    }
    showCrop(at);
    showTransition(at);
    showCaption(now);
  }

  // --- what the result will look like -----------------------------------------------------------------------------
  function showShape() {
    const ratio = RATIOS[shape.value] ?? data().width / data().height;
    frame.style.setProperty("--ratio", String(ratio));
    const crop = data().crops[shape.value];
    frame.classList.toggle("crop", Boolean(RATIOS[shape.value]) && (!crop || crop.mode === "crop"));
    tick();
  }
  function showCrop(at) {
    const crop = data().crops[shape.value];
    if (!crop || crop.mode !== "crop" || !crop.keys.length) {
      video.style.objectPosition = "50% 50%";
      return;
    }
    let i = 0;
    while (i + 1 < crop.keys.length && crop.keys[i + 1][0] <= at) i += 1;
    const [f0, x0, y0] = crop.keys[i];
    const [f1, x1, y1] = crop.keys[i + 1] ?? crop.keys[i];
    const share = f1 > f0 ? Math.min(Math.max((at - f0) / (f1 - f0), 0), 1) : 0;
    const jump = f1 - f0 === 1 ? 0 : share;
    const source = data().width / data().height;
    const target = RATIOS[shape.value] ?? source;
    const spot = (centre, size) => (size >= 0.999 ? 50 : (Math.min(Math.max((centre - size / 2) / (1 - size), 0), 1)) * 100);
    const x = spot(x0 + (x1 - x0) * jump, Math.min(1, target / source));
    const y = spot(y0 + (y1 - y0) * jump, Math.min(1, source / target));
    video.style.objectPosition = `${x}% ${y}%`;
  }

  // Kept frames without a cut between them; what lies between two of them is a joint (core/video/transitions.py).
  let runs = [];
  function layRuns() {
    runs = [];
    for (const [start, end, kept] of self.pieces) {
      if (!kept) continue;
      if (runs.at(-1)?.[1] === start) runs.at(-1)[1] = end;
      else runs.push([start, end]);
    }
  }
  function showTransition(at) {
    const { style, duration } = data().transition;
    const index = runs.findIndex(([start, end]) => at >= start && at < end);
    let light = 1;
    if (style === "dip" && index >= 0) {
      const half = Math.max(1, (duration * data().fps) / 2);
      if (index > 0) light = Math.min(light, (at - runs[index][0]) / half);
      if (index < runs.length - 1) light = Math.min(light, (runs[index][1] - 1 - at) / half);
    }
    video.style.filter = light < 1 ? `brightness(${light})` : "";
    video.style.transform = style === "zoom" && index % 2 === 1 ? "scale(1.12)" : "";
  }

  let groups = [];
  function groupWords() {
    groups = [];
    const style = data().style;
    if (!style) return;
    const { max_words: most, max_cells: cells, max_lines: lines, pause_seconds: pause } = style.rules;
    let group = null;
    let size = 0;
    data().words.forEach(([, start, end], index) => {
      if (wordGone(index)) return;
      const wide = [...wordText(index)].length + 1;
      const previous = group?.at(-1);
      const rest = previous === undefined ? 0 : start - data().words[previous][2];
      const full = group && ((most && group.length >= most) || size + wide > cells * lines);
      if (!group || rest > pause || full) {
        group = [];
        size = 0;
        groups.push(group);
      }
      group.push(index);
      size += wide;
    });
  }
  let shown = "";
  function showCaption(now) {
    const style = data().style;
    let current = -1;
    const words = data().words;
    // Before anything was played the first caption stands, so that its look is seen at once.
    if (style && now === 0 && video.paused && groups.length) now = words[groups[0][0]][1];
    const group = style
      ? groups.findLast((items) => now >= words[items[0]][1] - 0.02 && now <= words[items.at(-1)][2] + style.rules.linger_seconds)
      : null;
    for (const index of group ?? []) if (words[index][1] <= now + 0.02) current = index;
    const active = data().words.findIndex(([, start, end]) => now >= start && now < end);
    nodes.forEach((node, index) => node.classList.toggle("now", index === active));
    const state = group ? `${group[0]}:${current}:${style.name}:${self.changed.size}` : "";
    if (state === shown) return;
    shown = state;
    if (!group) {
      caption.replaceChildren();
      return;
    }
    const unit = (share) => `calc(${share} * min(100cqw, 100cqh))`;
    caption.className = `caption ${style.place} ${style.motion}`;
    Object.assign(caption.style, {
      fontSize: unit(style.size),
      fontWeight: style.weight,
      color: `#${style.colour}`,
      webkitTextStroke: style.box ? "" : `${unit(style.outline * 2)} #${style.outline_colour}`,
      textShadow: style.shadow ? `0 ${unit(style.shadow)} ${unit(style.shadow)} rgba(0,0,0,.6)` : "",
      textTransform: style.upper_case ? "uppercase" : "",
    });
    const parts = [];
    group.forEach((index, position) => {
      const word = el("span", {}, wordText(index));
      const lit = style.motion === "word" ? index === current : style.motion === "karaoke" ? index <= current : false;
      if (lit) word.style.color = `#${style.highlight}`;
      if (position) parts.push(glue(wordText(group[position - 1]), wordText(index)));
      parts.push(word);
    });
    const line = el("span", {}, parts);
    if (style.box) {
      const alpha = Math.round(style.box_opacity * 255).toString(16).padStart(2, "0");
      Object.assign(line.style, { background: `#${style.outline_colour}${alpha}`, padding: "0.08em 0.3em", borderRadius: "0.12em", boxDecorationBreak: "clone", webkitBoxDecorationBreak: "clone" });
    }
    caption.replaceChildren(line);
  }

  // --- the track -------------------------------------------------------------------------------------------------
  function layPieces() {
    const focused = lane.querySelector(":focus-visible, :focus") ? self.cursor : null;
    lane.replaceChildren(
      ...self.pieces.map(([start, end, kept, reason, speed], index) => {
        const what = kept ? say("kept") : say("removed");
        const why = say(`reason.${reason}`) || "";
        const plain = say("piece", { what, why, from: studio.clock(seconds(start), true), to: studio.clock(seconds(end), true) });
        const label = speed === 1 ? plain : say("at_speed", { piece: plain, speed });
        return el("button", {
          type: "button",
          class: `piece ${kept ? "kept" : "gone"} ${reason}${speed === 1 ? "" : " paced"}`,
          style: { left: `${(start / data().frames) * 100}%`, width: `max(3px, calc(${((end - start) / data().frames) * 100}% - 1px))` },
          "aria-label": label,
          "aria-pressed": kept ? "true" : "false",
          title: label,
          tabindex: index === self.cursor ? "0" : "-1",
          "data-index": index,
        }, speed === 1 ? null : el("span", { class: "speed" }, `×${Math.round(speed * 100) / 100}`));
      }),
    );
    if (focused !== null) lane.children[Math.min(focused, lane.children.length - 1)]?.focus();
  }
  lane.addEventListener("click", (event) => {
    const node = event.target.closest(".piece");
    if (!node) return;
    const index = Number(node.dataset.index);
    self.cursor = index;
    edited(() => toggle(index));
    lane.children[self.cursor]?.focus({ preventScroll: true });
  });
  lane.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    let next = null;
    if (step) next = self.cursor + step;
    else if (event.key === "Home") next = 0;
    else if (event.key === "End") next = self.pieces.length - 1;
    else return;
    event.preventDefault();
    self.cursor = Math.min(Math.max(next, 0), self.pieces.length - 1);
    [...lane.children].forEach((node, index) => (node.tabIndex = index === self.cursor ? 0 : -1));
    lane.children[self.cursor].focus();
    seek(seconds(self.pieces[self.cursor][0]));
  });
  canvas.addEventListener("click", (event) => {
    const x = event.clientX - inner.getBoundingClientRect().left;
    seek((x / inner.offsetWidth) * length());
  });

  function draw() {
    const width = scroll.clientWidth;
    if (!width) return;
    inner.style.width = `${Math.max(width, Math.round(width * self.zoom))}px`;
    const scale = window.devicePixelRatio || 1;
    canvas.style.width = `${width}px`;
    if (canvas.width !== Math.round(width * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = 150 * scale;
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, 150);
    const style = getComputedStyle(root);
    const ink = style.getPropertyValue("--st-text-color");
    const total = inner.offsetWidth;
    const left = scroll.scrollLeft;
    const shownSeconds = (width / total) * length();
    const step = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200].find((item) => (item / shownSeconds) * width >= 70) ?? 1800;
    pen.font = "11px sans-serif";
    pen.fillStyle = ink;
    pen.globalAlpha = 0.65;
    for (let at = Math.floor(((left / total) * length()) / step) * step; at <= length(); at += step) {
      const x = (at / length()) * total - left;
      if (x > width) break;
      pen.fillRect(x, 0, 1, 5);
      pen.fillText(studio.clock(at), x + 4, 11);
    }
    pen.globalAlpha = 1;
    const thumbs = data().thumbnails;
    if (thumbs && sheet.complete && sheet.naturalWidth) {
      const tall = 46;
      const wide = Math.max(20, (thumbs.width / thumbs.height) * tall);
      for (let x = -(left % wide); x < width; x += wide) {
        const share = Math.min(Math.max((left + x + wide / 2) / total, 0), 0.9999);
        if (left + x >= total) break;
        const index = Math.floor(share * thumbs.count);
        const column = index % thumbs.columns;
        const row = Math.floor(index / thumbs.columns);
        pen.drawImage(sheet, column * thumbs.width, row * thumbs.height, thumbs.width, thumbs.height, x, 16, wide - 1, tall);
      }
    }
    const { peaks } = data();
    const middle = thumbs ? 105 : 59;
    pen.globalAlpha = 0.6;
    pen.fillStyle = ink;
    for (let x = 0; x < width && peaks.length; x += 2) {
      const first = Math.floor(((left + x) / total) * peaks.length);
      const last = Math.max(first + 1, Math.floor(((left + x + 2) / total) * peaks.length));
      let peak = 0;
      for (let i = first; i < last && i < peaks.length; i += 1) peak = Math.max(peak, peaks[i]);
      const half = Math.max(0.5, peak * 36);
      pen.fillRect(x, middle - half, 1.5, half * 2);
    }
    pen.globalAlpha = 1;
    head.style.left = `${(video.currentTime / length()) * total}px`;
  }
  scroll.addEventListener("scroll", draw, { passive: true });
  function zoomTo(value) {
    const centre = video.currentTime / length();
    self.zoom = Math.min(Math.max(value, 1), Math.max(1, length() / 4));
    draw();
    scroll.scrollLeft = centre * inner.offsetWidth - scroll.clientWidth / 2;
    draw();
  }
  closer.addEventListener("click", () => zoomTo(self.zoom * 1.8));
  wider.addEventListener("click", () => zoomTo(self.zoom / 1.8));
  shape.addEventListener("change", showShape);
  skip.addEventListener("change", tick);

  function nameControls() {
    play.textContent = video.paused ? say("play") : say("pause");
    skipLabel.textContent = say("skip");
    undo.textContent = say("undo");
    split.textContent = say("split");
    pace.setAttribute("aria-label", say("speed"));
    pace.title = say("speed");
    undo.disabled = !self.history.length;
    closer.setAttribute("aria-label", say("zoom_in"));
    wider.setAttribute("aria-label", say("zoom_out"));
    shape.setAttribute("aria-label", say("shape"));
    heading.textContent = say("transcript");
    fixWord.textContent = say("correct");
    text.setAttribute("aria-label", say("transcript_help"));
    video.setAttribute("aria-label", say("picture"));
    const kept = self.pieces.reduce((total, piece) => total + (piece[2] ? piece[1] - piece[0] : 0), 0);
    const shown = self.pieces.reduce((total, piece) => total + (piece[2] ? (piece[1] - piece[0]) / piece[4] : 0), 0);
    const kind = Math.abs(shown - kept) < 1 ? "sum" : shown < kept ? "sum_speed" : "sum_slow";
    const saved = studio.clock(Math.abs(seconds(kept - shown)));
    sum.textContent = say(kind, { kept: studio.clock(seconds(shown)), all: studio.clock(length()), removed: studio.clock(length() - seconds(kept)), saved });
  }
  function redraw() {
    nodes.forEach((node, index) => {
      if (!node.querySelector("input")) node.textContent = wordText(index);
      node.classList.toggle("gone", wordGone(index));
      node.classList.toggle("changed", self.changed.has(index));
    });
    const reasons = new Set(self.pieces.filter((piece) => !piece[2]).map((piece) => piece[3]));
    const paced = self.pieces.some((piece) => piece[2] && piece[4] !== 1);
    legend.replaceChildren(
      el("span", {}, el("i"), say("kept")),
      paced ? el("span", {}, el("i", { style: { "--tone": "var(--beat)" } }), say("paced")) : "",
      ...[...reasons].map((reason) =>
        el("span", {}, el("i", { style: { "--tone": `var(--${{ clip: "beat", speech: "silence", source: "silence" }[reason] ?? reason})` } }), `${say("removed")}: ${say(`reason.${reason}`)}`),
      ),
      el("span", {}, say("help")),
      ["crossfade", "wipe"].includes(data().transition.style) ? el("span", {}, say("rendered_only")) : "",
    );
    groupWords();
    layRuns();
    shown = "?";
    nameControls();
    layPieces();
    draw();
    tick();
  }

  self.update = () => {
    const fresh = data();
    inner.classList.toggle("plain", !fresh.thumbnails);
    if (video.getAttribute("src") !== fresh.src) {
      video.src = fresh.src;
      if (fresh.poster) video.poster = fresh.poster;
      self.version = -1;
    }
    if (fresh.thumbnails && sheet.getAttribute("src") !== fresh.thumbnails.src) sheet.src = fresh.thumbnails.src;
    const waits = saving !== null || fresh.version < self.expected;
    if (!waits && fresh.version !== self.version) {
      self.version = fresh.version;
      self.pieces = fresh.pieces.map((piece) => [...piece]);
      self.changed = new Map();
      // A correction may have become two words: what was remembered by word no longer fits.
      if (self.history.length && self.history.at(-1).texts.length !== fresh.words.length) self.history = [];
      layWords();
      pick(null);
    }
    const names = ["source", ...Object.keys(fresh.crops).filter((name) => name !== "source")];
    if ([...shape.options].map((item) => item.value).join() !== names.join()) {
      shape.replaceChildren(...names.map((name) => el("option", { value: name }, name === "source" ? say("shape_source") : name)));
      shape.value = names.includes(fresh.shape) ? fresh.shape : "source";
      shape.hidden = names.length < 2;
    }
    [...shape.options].forEach((item) => item.value === "source" && (item.textContent = say("shape_source")));
    redraw();
    showShape();
  };
  self.observer = new ResizeObserver(() => draw());
  self.observer.observe(scroll);
  self.stop = () => {
    video.pause();
    self.observer.disconnect();
    if (saving !== null) {
      clearTimeout(saving);
      self.component.setTriggerValue("edit", { version: data().version, pieces: self.pieces, words: [...self.changed] });
    }
  };
  return self;
}

export default function (component) {
  const self = instance(component, createTimeline);
  self.update();
  return () => {
    self.stop();
    mounted.delete(component.parentElement.querySelector(".studio"));
  };
}
