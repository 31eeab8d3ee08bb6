const CHUNK = 16 * 1024 * 1024;
const RETRIES = [0, 500, 1000, 2000, 3000, 5000, 5000, 5000, 10000, 10000, 10000, 20000, 30000, 30000];

// The asset that an upload became; a long examination is asked for again (api/uploads.py).
async function assetOf(uploadId, headers) {
  for (;;) {
    try {
      return (await studio.request(`/api/uploads/${uploadId}/asset`, { headers })).id;
    } catch (error) {
      if (error.status !== 409 || !error.body?.retryable) throw error;
    }
  }
}

// Zones of this window by key: an upload goes on while the user looks at another page, and is shown again on return.
const zones = (window.__studioUploads ??= new Map());
window.addEventListener("beforeunload", (event) => {
  // Leaving the studio would interrupt what is being sent; the browser asks.
  if ([...zones.values()].some((zone) => zone.running > 0)) event.preventDefault();
});

function createUpload(root, key) {
  const kept = zones.get(key);
  if (kept) {
    root.replaceChildren(...kept.parts);
    return kept;
  }
  const self = { component: null, running: 0, added: 0, arrived: [], refused: [], mounted: false };
  zones.set(key, self);
  const { el } = studio;
  const words = () => self.component.data.words;

  const input = el("input", { type: "file", tabindex: "-1", "aria-hidden": "true" });
  const title = el("strong");
  const hint = el("span", { class: "soft" });
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M12 16V4m0 0L7 9m5-5l5 5M4 15v3a2 2 0 002 2h12a2 2 0 002-2v-3");
  path.setAttribute("fill", "none");
  path.setAttribute("stroke", "currentColor");
  path.setAttribute("stroke-width", "1.8");
  path.setAttribute("stroke-linecap", "round");
  path.setAttribute("stroke-linejoin", "round");
  icon.append(path);
  const zone = el("div", { class: "zone", role: "button", tabindex: "0" }, icon, title, hint);
  const list = el("ul", { "aria-live": "polite" });
  self.parts = [input, zone, list];
  root.append(...self.parts);

  zone.addEventListener("click", () => input.click());
  zone.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      input.click();
    }
  });
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.remove("over");
    });
  }
  zone.addEventListener("drop", (event) => take([...event.dataTransfer.files]));
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });

  function take(files) {
    for (const file of self.component.data.multiple ? files : files.slice(0, 1)) add(file);
  }

  function settle() {
    self.running -= 1;
    tell();
  }

  // The page hears once, when nothing is under way any more: what arrived, in the order it was dropped, and what was
  // refused, so that the next page can say it too.
  function tell() {
    if (self.running || !self.arrived.length || !self.mounted) return;
    const arrived = self.arrived.sort((one, other) => one.order - other.order).map((one) => one.id);
    self.component.setTriggerValue("finished", { arrived, refused: self.refused.map(({ name, why }) => ({ name, why })) });
    self.arrived = [];
    self.refused = [];
    list.replaceChildren();
  }
  self.tell = tell;

  async function add(file) {
    const order = (self.added += 1);
    const bar = el("i");
    const state = el("span", { class: "state soft" });
    const cancel = el("button", { type: "button" }, words().cancel);
    const again = el("button", { type: "button", hidden: true }, words().again);
    const row = el(
      "li",
      {},
      el("span", { class: "name", title: file.name }, file.name),
      el("div", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": file.name }, bar),
      state,
      el("div", { class: "buttons" }, again, cancel),
    );
    list.append(row);
    self.running += 1;

    const say = (text, bad = false) => {
      state.textContent = text;
      state.className = bad ? "state error" : "state soft";
    };
    let upload = null;
    let over = false;
    let refusal = null;
    const forget = () => {
      row.remove();
      self.refused = self.refused.filter((one) => one !== refusal);
    };
    cancel.addEventListener("click", async () => {
      forget();
      if (over) return;
      over = true;
      if (upload) await upload.abort(true).catch(() => {}); // the server may be gone; its sweep removes the rest
      settle();
    });
    again.addEventListener("click", () => {
      forget();
      add(file);
    });
    // Trying again is offered only where the same file may pass: not for one that was looked at and refused.
    const end = (text, hopeless = false) => {
      over = true;
      say(text, true);
      row.classList.add("failed");
      again.hidden = hopeless;
      cancel.textContent = words().dismiss;
      refusal = { name: file.name, why: text };
      self.refused.push(refusal);
      settle();
    };

    if (file.size > self.component.data.max_bytes) {
      end(studio.fill(words().too_large, { size: self.component.data.max_size }), true);
      return;
    }
    if (file.size === 0) {
      end(words().empty, true);
      return;
    }
    try {
      await studio.script("/vendor/tus-js-client/tus.min.js");
    } catch {
      end(words().no_connection);
      return;
    }
    const started = { at: performance.now(), from: null };
    const language = { "Accept-Language": self.component.data.lang }; // refusals are told in the page's language
    upload = new window.tus.Upload(file, {
      endpoint: location.origin + "/api/uploads",
      chunkSize: CHUNK,
      headers: language,
      retryDelays: RETRIES,
      removeFingerprintOnSuccess: true,
      metadata: { filename: file.name, filetype: file.type || "application/octet-stream" },
      onShouldRetry: (error) => {
        const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
        const again = status === 0 || status === 409 || status === 423 || status >= 500;
        if (again) say(words().waiting);
        return again && status !== 507;
      },
      onProgress: (sent, total) => {
        if (over) return;
        if (started.from === null) Object.assign(started, { at: performance.now(), from: sent });
        const share = sent / total;
        bar.style.width = `${(share * 100).toFixed(1)}%`;
        bar.parentElement.setAttribute("aria-valuenow", String(Math.round(share * 100)));
        const speed = (sent - started.from) / ((performance.now() - started.at) / 1000);
        const eta = speed > 0 && sent < total ? " · " + studio.fill(words().left, { time: studio.left((total - sent) / speed, words()) }) : "";
        say(sent < total ? `${Math.floor(share * 100)} % · ${studio.size(sent)} / ${studio.size(total)}${eta}` : words().checking);
      },
      onError: (error) => {
        if (over) return;
        let told = words().no_connection;
        const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
        try {
          const problem = JSON.parse(error.originalResponse.getBody());
          told = [problem.title, problem.detail].filter(Boolean).join(" ");
        } catch {
          // no answer at all: the sentence about the connection stands
        }
        end(told, status === 413 || status === 415 || status === 422);
      },
      onSuccess: async () => {
        say(words().checking);
        try {
          const uploadId = upload.url.split("/").filter(Boolean).pop();
          const asset = await assetOf(uploadId, language);
          over = true;
          say(words().done);
          row.classList.add("done");
          bar.style.width = "100%";
          cancel.remove();
          self.arrived.push({ id: asset, order });
          settle();
        } catch (error) {
          end([error.message, error.body?.detail].filter(Boolean).join(" ") || words().no_connection, error.status === 422);
        }
      },
    });
    const earlier = await upload.findPreviousUploads();
    if (earlier.length) {
      upload.resumeFromPreviousUpload(earlier[0]);
      say(words().resuming);
    }
    upload.start();
  }

  self.update = () => {
    const { data } = self.component;
    title.textContent = data.multiple ? words().drop_many : words().drop_one;
    hint.textContent = studio.fill(words().hint, { size: data.max_size });
    zone.setAttribute("aria-label", `${title.textContent} ${hint.textContent}`);
    input.multiple = data.multiple;
    input.accept = data.accept;
  };
  return self;
}

export default function (component) {
  const self = instance(component, (root) => createUpload(root, component.data.key));
  self.update();
  self.mounted = true;
  self.tell(); // what arrived while another page was open
  return () => {
    self.mounted = false;
    mounted.delete(component.parentElement.querySelector(".studio"));
  };
}
