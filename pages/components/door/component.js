function createDoor(root) {
  const { el } = studio;
  const self = { component: null, mode: null };

  async function open() {
    try {
      await studio.request("/api/session", { method: "POST" });
      location.reload();
    } catch {
      self.component.setStateValue("closed", true);
    }
  }
  function form() {
    const { words } = self.component.data;
    const email = el("input", { type: "email", autocomplete: "username", required: true });
    const password = el("input", { type: "password", autocomplete: "current-password", required: true });
    const error = el("p", { class: "error", role: "alert" });
    const button = el("button", { type: "submit", class: "main" }, words.button);
    const node = el("form", {}, el("label", {}, words.email, email), el("label", {}, words.password, password), error, button);
    node.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        await studio.request("/api/session", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ email: email.value, password: password.value }),
        });
        location.reload();
      } catch (problem) {
        error.textContent = problem.status === 401 ? words.wrong : problem.message;
        button.disabled = false;
      }
    });
    root.replaceChildren(node);
  }
  function out() {
    const button = el("button", { type: "button" }, self.component.data.words.sign_out);
    button.addEventListener("click", async () => {
      await studio.request("/api/session", { method: "DELETE" });
      location.reload();
    });
    root.replaceChildren(button);
  }
  self.update = () => {
    const { mode } = self.component.data;
    if (mode === self.mode) return;
    self.mode = mode;
    if (mode === "open") open();
    else if (mode === "form") form();
    else out();
  };
  return self;
}

export default function (component) {
  instance(component, createDoor).update();
}
