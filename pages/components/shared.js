// One copy per browser window: the event stream, and the few helpers every component uses.
const studio = (() => {
  const VERSION = 2;
  if (window.__studio && window.__studio.version === VERSION) return window.__studio;

  // --- the event stream: opened by the first listener, closed soon after the last one left -------------------------
  // The server begins it, and begins again after an interruption, with a "snapshot" of all live jobs (api/events.py).
  const listeners = new Set();
  let stream = null;
  let closing = null;

  function deliver(message) {
    let notice;
    try {
      notice = JSON.parse(message.data);
    } catch {
      return; // a comment or a partial line is not a notice
    }
    for (const listener of [...listeners]) listener(notice);
  }

  function open() {
    stream = new EventSource("/api/events");
    stream.onmessage = deliver;
  }

  function listen(listener) {
    clearTimeout(closing);
    listeners.add(listener);
    if (!stream || stream.readyState === EventSource.CLOSED) open();
    else if (stream.readyState === EventSource.OPEN) queueMicrotask(() => listener({ type: "snapshot", jobs: [] }));
    return () => {
      listeners.delete(listener);
      clearTimeout(closing);
      closing = setTimeout(() => {
        if (listeners.size === 0 && stream) {
          stream.close();
          stream = null;
        }
      }, 4000);
    };
  }

  // --- markup without markup: text only ever becomes text nodes --------------------------------------------------
  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "class") node.className = value;
      else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "style") for (const [key, item] of Object.entries(value)) node.style.setProperty(key, item);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  }

  function clock(seconds, tenths = false) {
    const safe = Math.max(0, seconds || 0);
    const whole = Math.floor(safe);
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor((whole % 3600) / 60);
    const rest = String(whole % 60).padStart(2, "0");
    const tail = tenths ? "." + Math.floor((safe - whole) * 10) : "";
    return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}${tail}` : `${minutes}:${rest}${tail}`;
  }

  function size(bytes) {
    let value = bytes;
    for (const unit of ["B", "kB", "MB", "GB"]) {
      if (value < 999.5) return `${value >= 10 || unit === "B" ? value.toFixed(0) : value.toFixed(1)} ${unit}`;
      value /= 1000;
    }
    return `${value.toFixed(1)} TB`;
  }

  const fill = (text, values) => (text || "").replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);

  function left(seconds, words) {
    if (seconds < 60) return fill(words.seconds, { seconds: Math.max(1, Math.round(seconds)) });
    const minutes = Math.round(seconds / 60);
    if (minutes < 60) return fill(words.minutes, { minutes });
    return fill(words.hours_minutes, { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
  }

  async function request(path, options = {}) {
    const answer = await fetch(path, { credentials: "same-origin", ...options });
    const body = answer.headers.get("content-type")?.includes("json") ? await answer.json() : null;
    if (!answer.ok) throw Object.assign(new Error(body?.title || answer.statusText), { status: answer.status, body });
    return body;
  }

  // --- the picture of a sound: drawn sharply at any pixel density, pressed or steered by keys to seek ---------------
  function surface(canvas) {
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!width) return null;
    const scale = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    return { pen, width, height, accent: style.getPropertyValue("--st-primary-color"), ink: style.getPropertyValue("--st-text-color") };
  }

  // Peaks (0–1) around ``middle``, at most ``tall`` high; what lies before ``at`` has been heard.
  function wave({ pen, width, height, accent, ink }, peaks, at, middle, tall) {
    for (let x = 0; x < width; x += 3) {
      const first = Math.floor((x / width) * peaks.length);
      const last = Math.max(first + 1, Math.floor(((x + 3) / width) * peaks.length));
      let peak = 0;
      for (let i = first; i < last && i < peaks.length; i += 1) peak = Math.max(peak, peaks[i]);
      const reach = Math.max(1, peak * tall);
      pen.globalAlpha = x < at ? 1 : 0.45;
      pen.fillStyle = x < at ? accent : ink;
      pen.fillRect(x, middle - reach, 2, reach * 2);
    }
    pen.globalAlpha = 1;
    pen.fillStyle = accent;
    pen.fillRect(at - 1, 0, 2, height);
  }

  function seekable(canvas, { now, length, seek, toggle }) {
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      seek(((event.clientX - box.left) / box.width) * length());
    });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -2, ArrowRight: 2, PageUp: -10, PageDown: 10 }[event.key];
      if (step) seek(now() + step);
      else if (event.key === "Home") seek(0);
      else if (event.key === "End") seek(length());
      else if (event.key === " ") toggle();
      else return;
      event.preventDefault();
    });
  }

  // A script from our own origin, loaded once per window.
  const scripts = new Map();
  function script(path) {
    if (!scripts.has(path)) {
      scripts.set(
        path,
        new Promise((resolve, reject) => {
          const node = el("script", { src: path });
          node.onload = resolve;
          node.onerror = () => {
            scripts.delete(path);
            reject(new Error(path));
          };
          document.head.append(node);
        }),
      );
    }
    return scripts.get(path);
  }

  window.__studio = { version: VERSION, listen, el, clock, size, fill, left, request, script, surface, wave, seekable };
  return window.__studio;
})();

// Streamlit calls a component again at every rerun with new data: keep one instance per mounted element.
const mounted = new WeakMap();
function instance(component, create) {
  const root = component.parentElement.querySelector(".studio");
  let kept = mounted.get(root);
  if (!kept) {
    kept = create(root);
    mounted.set(root, kept);
  }
  kept.component = component;
  return kept;
}
