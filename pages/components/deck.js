// Sounds that play together lie on one clock: blocks of PCM are asked for by HTTP Range and scheduled to the sample. The
// mixer and the comparison share this: the samples, the transport and the picture of the sound.
const BLOCK_SECONDS = 4;
const AHEAD_SECONDS = 9;
const RATE = 48000;

// Where the samples of a WAV or RF64 file begin and how they lie (RIFF; EBU Tech 3306 for the size that does not fit).
async function openWav(src, signal) {
  const answer = await fetch(src, { headers: { Range: "bytes=0-4095" }, credentials: "same-origin", signal });
  if (!answer.ok) throw new Error(String(answer.status));
  const view = new DataView(await answer.arrayBuffer());
  const tag = (at) => String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
  let shape = null;
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    if (tag(at) === "fmt ") {
      shape = { channels: view.getUint16(at + 10, true), rate: view.getUint32(at + 12, true), bits: view.getUint16(at + 22, true) };
    } else if (tag(at) === "data") {
      if (!shape || shape.bits !== 24 || shape.channels !== 2 || shape.rate !== RATE) throw new Error("not a WAV of the studio");
      const total = Number((answer.headers.get("content-range") || "").split("/")[1]) || Infinity;
      const bytes = Math.min(size === 0xffffffff ? Infinity : size, total - at - 8);
      return { src, first: at + 8, frames: Math.floor(bytes / 6) };
    }
    at += 8 + size + (size % 2);
  }
  throw new Error("no samples");
}

async function readBlock(context, wav, start, count, signal) {
  const frames = Math.max(0, Math.min(count, wav.frames - start));
  const buffer = context.createBuffer(2, Math.max(frames, 1), RATE);
  if (!frames) return buffer;
  const first = wav.first + start * 6;
  const range = `bytes=${first}-${first + frames * 6 - 1}`;
  const answer = await fetch(wav.src, { headers: { Range: range }, credentials: "same-origin", signal });
  if (!answer.ok) throw new Error(String(answer.status));
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const left = buffer.getChannelData(0);
  const right = buffer.getChannelData(1);
  for (let i = 0, at = 0; at + 5 < bytes.length; i += 1, at += 6) {
    left[i] = ((bytes[at] << 8) | (bytes[at + 1] << 16) | (bytes[at + 2] << 24)) / 2147483648;
    right[i] = ((bytes[at + 3] << 8) | (bytes[at + 4] << 16) | (bytes[at + 5] << 24)) / 2147483648;
  }
  return buffer;
}

// `data()` gives title, duration, peaks (0–1) and words; `tracks()` what plays together, each with a `src`; `factor(track)`
// how loud each is, linear. The caller places `title`, `canvas`, `play`, `time` and `trouble`.
function createDeck({ data, tracks, factor }) {
  const { el } = studio;
  const state = { playing: false, loading: false, position: 0, anchor: 0, next: 0, sources: new Set(), timer: null, stop: null };
  let context = null;

  const title = el("strong");
  const canvas = el("canvas", { role: "slider", tabindex: "0", "aria-valuemin": 0 });
  const play = el("button", { type: "button", class: "main" });
  const time = el("span", { class: "time soft" });
  const trouble = el("p", { class: "error", role: "alert", hidden: true });

  const words = () => data().words;
  const length = () => data().duration || 1;
  const now = () => (state.playing && !state.loading ? Math.min(length(), Math.max(0, context.currentTime - state.anchor)) : state.position);

  // A short ramp instead of a jump, which would click.
  function level(track) {
    if (track.node) track.node.gain.setTargetAtTime(factor(track), context.currentTime, 0.015);
  }

  // --- playing ---------------------------------------------------------------------------------------------------
  function silence() {
    clearInterval(state.timer);
    state.stop?.abort();
    for (const source of state.sources) source.stop();
    state.sources.clear();
  }
  async function start(position) {
    silence();
    context ??= new AudioContext({ sampleRate: RATE, latencyHint: "playback" });
    const stop = new AbortController();
    Object.assign(state, { playing: true, loading: true, position, next: position, stop });
    trouble.hidden = true;
    label();
    try {
      await context.resume();
      for (const track of tracks()) {
        track.wav ??= await openWav(track.src, stop.signal);
        if (!track.node) {
          track.node = context.createGain();
          track.node.gain.value = factor(track);
          track.node.connect(context.destination);
        }
      }
      await fill(stop);
      if (stop.signal.aborted) return;
      state.timer = setInterval(() => fill(stop).catch((error) => fail(error, stop)), 250);
      requestAnimationFrame(follow);
    } catch (error) {
      fail(error, stop);
    }
  }
  function fail(error, stop) {
    if (stop.signal.aborted) return;
    pause();
    trouble.textContent = words().failed;
    trouble.hidden = false;
  }
  // Lay blocks of all stems on the clock until enough is ahead; late blocks move the clock for all alike.
  async function fill(stop) {
    if (state.filling === stop) return;
    state.filling = stop;
    try {
      while (!stop.signal.aborted && state.next < length() - 1e-6) {
        if (!state.loading && state.next - now() > AHEAD_SECONDS) return;
        const first = Math.round(state.next * RATE);
        const count = Math.min(BLOCK_SECONDS, length() - state.next) * RATE;
        const buffers = await Promise.all(tracks().map((track) => readBlock(context, track.wav, first, Math.ceil(count), stop.signal)));
        if (stop.signal.aborted) return;
        const soonest = context.currentTime + 0.06;
        if (state.loading || state.anchor + state.next < soonest) {
          // whole samples, so that blocks join without a gap
          state.anchor = Math.ceil(soonest * RATE) / RATE - first / RATE;
          state.loading = false;
          label();
        }
        buffers.forEach((buffer, index) => {
          const source = context.createBufferSource();
          source.buffer = buffer;
          source.connect(tracks()[index].node);
          source.start(state.anchor + first / RATE);
          state.sources.add(source);
          source.onended = () => state.sources.delete(source);
        });
        state.next = (first + Math.ceil(count)) / RATE;
      }
    } finally {
      if (state.filling === stop) state.filling = null;
    }
  }
  function pause() {
    if (state.playing) state.position = now();
    silence();
    Object.assign(state, { playing: false, loading: false });
    label();
    draw();
  }
  function seek(seconds) {
    const position = Math.min(Math.max(seconds, 0), length());
    if (state.playing && position < length() - 0.02) start(position);
    else {
      pause();
      state.position = position;
      draw();
    }
  }
  function follow() {
    if (!state.playing) return;
    draw();
    if (!state.loading && now() >= length() - 0.01) {
      pause();
      state.position = 0;
      draw();
    } else requestAnimationFrame(follow);
  }
  // "One sound at a time in the whole window": other players pause what plays, and this one is paused by them alike.
  const turn = { pause: () => state.playing && pause() };
  play.addEventListener("click", () => {
    if (state.playing) return pause();
    if (window.__studio.playing && window.__studio.playing !== turn) window.__studio.playing.pause();
    window.__studio.playing = turn;
    start(state.position >= length() - 0.05 ? 0 : state.position);
  });
  studio.seekable(canvas, { now, length, seek, toggle: () => play.click() });

  // --- drawing ---------------------------------------------------------------------------------------------------
  function label() {
    play.textContent = state.loading ? words().loading : state.playing ? words().pause : words().play;
  }
  function draw() {
    const paper = studio.surface(canvas);
    if (!paper) return;
    const { width, height } = paper;
    studio.wave(paper, data().peaks, (now() / length()) * width, height / 2, height * 0.45);
    time.textContent = `${studio.clock(now())} / ${studio.clock(length())}`;
    canvas.setAttribute("aria-valuenow", String(Math.round(now())));
    canvas.setAttribute("aria-valuetext", time.textContent);
  }

  function update() {
    title.textContent = data().title;
    canvas.setAttribute("aria-label", `${data().title}. ${words().hint}`);
    canvas.setAttribute("aria-valuemax", String(Math.round(length())));
    label();
    draw();
  }
  const observer = new ResizeObserver(draw);
  observer.observe(canvas);
  function stop() {
    silence();
    observer.disconnect();
    context?.close();
  }
  return { title, canvas, play, time, trouble, level, update, stop, pause: () => state.playing && pause() };
}
