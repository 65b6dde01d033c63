// What the pages do better with a script: say what changed, and never lose the focus.
"use strict";
(() => {
  const status = () => document.getElementById("status");
  let last = "";

  // Said politely, once; the same words twice are silence.
  const say = (words) => {
    const place = status();
    if (place && words && words !== last) place.textContent = last = words;
  };

  document.addEventListener("htmx:after:swap", () => {
    const spoken = document.querySelector("[data-say]");
    if (spoken) say(spoken.dataset.say);
    const lost = document.activeElement === document.body || !document.activeElement;
    const next = document.querySelector("[data-focus]");
    if (lost && next) next.focus();
  });

  // A form that was sent once is on its way; the server knows it by its key all the same.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    say(form.dataset.once);
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
  });

  // A gift's code stands behind the # of its link. It is kept over signing in, in this tab alone.
  const gift = document.querySelector("[data-gift]");
  if (gift) {
    if (location.hash) {
      sessionStorage.setItem("scrip-gift", location.hash.slice(1));
      history.replaceState(null, "", location.pathname);
    }
    const code = sessionStorage.getItem("scrip-gift");
    if (code && gift.matches("input") && !gift.value) {
      gift.value = code;
      sessionStorage.removeItem("scrip-gift");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copy).textContent;
    navigator.clipboard.writeText(text).then(() => say("Copied."), () => say("Copying failed."));
  });
})();
