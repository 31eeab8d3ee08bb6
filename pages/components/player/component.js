function createPlayer(root) {
  const { el } = studio;
  const self = { component: null, src: null };
  self.update = () => {
    const { data } = self.component;
    if (self.src === data.src) return;
    self.src = data.src;
    const media = el(data.audio ? "audio" : "video", {
      controls: true,
      playsinline: true,
      preload: data.poster || data.audio ? "none" : "metadata",
      poster: data.poster || null,
      src: data.src,
      "aria-label": data.title,
    });
    if (data.aspect) {
      // Upright videos are as wide as their height allows, so that no black bars stand beside them.
      media.style.aspectRatio = data.aspect;
      media.style.width = `min(100%, calc(min(70vh, ${data.tall}px) * ${data.aspect}))`;
    }
    for (const track of data.captions) {
      media.append(el("track", { kind: "captions", src: track.src, srclang: track.language, label: track.label }));
    }
    media.addEventListener("error", () => {
      if (data.error) root.append(el("p", { class: "error", role: "alert" }, data.error));
    });
    media.addEventListener("play", () => {
      // one sound at a time in the whole window
      if (window.__studio.playing && window.__studio.playing !== media) window.__studio.playing.pause();
      window.__studio.playing = media;
    });
    root.replaceChildren(media);
  };
  return self;
}

export default function (component) {
  const self = instance(component, createPlayer);
  self.update();
  return () => {
    const root = component.parentElement.querySelector(".studio");
    root?.querySelector("video, audio")?.pause();
    if (root) mounted.delete(root);
  };
}
