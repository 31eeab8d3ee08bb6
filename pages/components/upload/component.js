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

function createUpload(root) {
  const self = { component: null, running: 0, arrived: [] };
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
  root.append(input, zone, list);

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

  function settle(assetId) {
    if (assetId) self.arrived.push(assetId);
    self.running -= 1;
    if (self.running === 0 && self.arrived.length) {
      self.component.setTriggerValue("finished", self.arrived);
      self.arrived = [];
    }
  }

  async function add(file) {
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
    const failed = (text) => {
      say(text, true);
      again.hidden = false;
      cancel.textContent = words().dismiss;
      settle(null);
    };
    let upload = null;
    let over = false;
    cancel.addEventListener("click", async () => {
      row.remove();
      if (over) return;
      over = true;
      if (upload) await upload.abort(true).catch(() => {}); // the server may be gone; its sweep removes the rest
      settle(null);
    });
    again.addEventListener("click", () => {
      row.remove();
      add(file);
    });
    const end = (text) => {
      over = true;
      failed(text);
    };

    if (file.size > self.component.data.max_bytes) {
      end(studio.fill(words().too_large, { size: self.component.data.max_size }));
      return;
    }
    if (file.size === 0) {
      end(words().empty);
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
        try {
          const problem = JSON.parse(error.originalResponse.getBody());
          told = [problem.title, problem.detail].filter(Boolean).join(" ");
        } catch {
          // no answer at all: the sentence about the connection stands
        }
        end(told);
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
          settle(asset);
        } catch (error) {
          end([error.message, error.body?.detail].filter(Boolean).join(" ") || words().no_connection);
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
  instance(component, createUpload).update();
}
