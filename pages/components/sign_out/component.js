function createSignOut(root) {
  const self = { component: null };
  const error = studio.el("p", { class: "error", role: "alert" });
  const button = studio.el("button", { type: "button" });
  button.addEventListener("click", async () => {
    try {
      await studio.request("/api/sessions", { method: "DELETE" });
      location.assign("/");
    } catch (problem) {
      error.textContent = problem.message;
    }
  });
  root.append(button, error);
  self.update = () => {
    button.textContent = self.component.data.words.sign_out;
  };
  return self;
}

export default function (component) {
  instance(component, createSignOut).update();
}
