function createLive(root) {
  const self = { component: null, waiting: null };
  root.hidden = true;
  function tell() {
    // Drawing the page again would close a dialog under the user's hands.
    if (document.querySelector('[role="dialog"]')) {
      self.waiting = setTimeout(tell, 1000);
      return;
    }
    self.waiting = null;
    self.component.setTriggerValue("news", Date.now());
  }
  self.stop = studio.listen((notice) => {
    if (!self.component.data.types.includes(notice.type) || self.waiting) return;
    self.waiting = setTimeout(tell, 1000);
  });
  return self;
}

export default function (component) {
  const self = instance(component, createLive);
  return () => {
    clearTimeout(self.waiting);
    self.stop();
    mounted.delete(component.parentElement.querySelector(".studio"));
  };
}
