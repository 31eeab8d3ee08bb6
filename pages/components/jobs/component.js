const FINAL = new Set(["succeeded", "failed", "cancelled"]);

function createJobs(root) {
  const { el } = studio;
  const self = { component: null, cards: new Map(), told: new Set() };

  function card(job) {
    const title = el("div", { class: "title" });
    const bar = el("i");
    const track = el("div", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, bar);
    const stage = el("div", { class: "stage soft", "aria-live": "polite" });
    const cancel = el("button", { type: "button" });
    const node = el("article", { "data-job": job.id }, title, track, stage, el("div", { class: "buttons" }, cancel));
    cancel.addEventListener("click", async () => {
      cancel.disabled = true;
      cancel.textContent = self.component.data.words.cancelling;
      try {
        await studio.request(`/api/jobs/${job.id}/cancel`, { method: "POST" });
        refresh(job.id);
      } catch (error) {
        cancel.disabled = false;
        cancel.textContent = self.component.data.words.cancel;
        stage.textContent = error.message;
      }
    });
    return { node, title, bar, track, stage, cancel };
  }

  function draw(job) {
    const { words, stages, can_cancel } = self.component.data;
    const parts = self.cards.get(job.id);
    if (!parts) return;
    parts.title.replaceChildren(job.title, ...(job.subtitle ? [el("small", {}, job.subtitle)] : []));
    const share = Math.round((job.progress || 0) * 100);
    parts.bar.style.width = `${share}%`;
    parts.track.setAttribute("aria-valuenow", String(share));
    parts.track.setAttribute("aria-label", job.title);
    parts.node.classList.toggle("waiting", job.status === "queued");
    const stage = stages[(job.stage || "").replace(/^stage\./, "")] || words.working;
    const line = FINAL.has(job.status) ? [words["state"] || words[`state.${job.status}`]] : [stage];
    if (!FINAL.has(job.status)) {
      if (job.status === "running") line.push(`${share} %`);
      if (job.eta_seconds) line.push(studio.fill(words.left, { time: studio.left(job.eta_seconds, words) }));
    }
    parts.stage.textContent = line.filter(Boolean).join(" · ");
    parts.cancel.hidden = !can_cancel || FINAL.has(job.status);
    if (!parts.cancel.disabled) parts.cancel.textContent = words.cancel;
    parts.cancel.setAttribute("aria-label", `${words.cancel}: ${job.title}`);
  }

  function change(id, news) {
    const job = self.jobs.find((item) => item.id === id);
    if (!job) return;
    if (news.progress !== undefined) job.progress = news.progress;
    for (const name of ["status", "stage", "eta_seconds"]) if (news[name] !== undefined) job[name] = news[name];
    draw(job);
    if (FINAL.has(job.status) && !self.told.has(id)) {
      self.told.add(id);
      self.component.setTriggerValue("ended", id);
    }
  }

  async function refresh(id) {
    try {
      const { status, progress } = await studio.request(`/api/jobs/${id}`); // its stage is in words, ours come by name
      change(id, { status, progress });
    } catch (error) {
      if (error.status === 404) change(id, { status: "cancelled" });
    }
  }

  self.update = () => {
    self.jobs = self.component.data.jobs.map((job) => ({ ...job }));
    const wanted = new Set(self.jobs.map((job) => job.id));
    for (const [id, parts] of self.cards) {
      if (!wanted.has(id)) {
        parts.node.remove();
        self.cards.delete(id);
      }
    }
    for (const job of self.jobs) {
      if (!self.cards.has(job.id)) self.cards.set(job.id, card(job));
      root.append(self.cards.get(job.id).node);
      draw(job);
    }
  };
  self.stop = studio.listen((notice) => {
    if (notice.type === "snapshot") {
      // Whatever is not live any more ended unseen: ask for it.
      for (const job of self.jobs ?? []) if (!notice.jobs.includes(job.id) && !FINAL.has(job.status)) refresh(job.id);
    } else if (notice.type === "job") change(notice.job_id, notice);
  });
  return self;
}

export default function (component) {
  const self = instance(component, createJobs);
  self.update();
  return () => {
    self.stop();
    mounted.delete(component.parentElement.querySelector(".studio"));
  };
}
