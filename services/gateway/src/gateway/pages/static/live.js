// The balance as it happens: one stream for a page that can be seen, a look every 20 s without one.
"use strict";
(() => {
  const chip = document.getElementById("balance-chip");
  const knob = document.getElementById("live-switch");
  if (!chip || !knob) return;
  const POLL_MS = 20000; // between looks while there is no stream
  const AGAIN_MS = 60000; // before a stream that was refused is asked for again
  const SETTLE_MS = 1500; // what follows a run comes within this; then lists are read once
  const KEY = "scrip-live";
  const LIMITS = { day: "daily", month: "monthly", plan_day: "plan's daily" };
  const WRITTEN = new Intl.NumberFormat("en-GB");

  const { account } = chip.dataset; // the page stays with it, whatever is chosen in another tab
  let position = chip.dataset.position;
  let source = null;
  let polling = 0;
  let again = 0;
  let settling = 0;
  let good = new Date(); // when what is shown was last known to be so

  const wanted = () => localStorage.getItem(KEY) !== "off";
  const state = (words) => (document.getElementById("live-state").textContent = words);
  const put = (id, value) => {
    const place = document.getElementById(id);
    if (place) place.textContent = WRITTEN.format(value);
  };

  const show = ({ available, held, spent }) => {
    const amount = document.createElement("b");
    amount.textContent = WRITTEN.format(available);
    const beside = document.createElement("span");
    beside.className = "soft";
    beside.textContent = held ? ` · ${WRITTEN.format(held)} held` : "";
    chip.replaceChildren(amount, " available", beside);
    put("available", available);
    put("held", held);
    put("spent", spent);
    good = new Date();
  };

  // Lists come from the server as they always do; one that somebody is in is left alone.
  const reread = async () => {
    const regions = [...document.querySelectorAll("[data-live]")];
    if (!regions.length) return;
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (page.getElementById("balance-chip")?.dataset.account !== account) {
      close();
      state("off: you act for another account now");
      return;
    }
    for (const region of regions) {
      const fresh = page.getElementById(region.id);
      if (fresh && !region.contains(document.activeElement)) region.replaceWith(fresh);
    }
  };

  // Said aloud: what the person waits for, and a limit that comes near. Never each run.
  const say = (words) => (document.getElementById("status").textContent = words);
  const announce = (name, told) => {
    if (told.type === "ThresholdCrossed" && told.limit.name.startsWith("low_"))
      say(`${WRITTEN.format(told.limit.left)} credits are available, fewer than ${WRITTEN.format(told.limit.limit)}.`);
    else if (told.type === "ThresholdCrossed")
      say(`${told.percent} percent of your ${LIMITS[told.limit.name] || "own"} limit is used.`);
    if (name === "purchase" && told.state === "completed") say("Your purchase is paid.");
    if (told.type === "AccountFrozen") say("Spending is stopped for this account.");
  };

  const heard = (name) => (event) => {
    const told = JSON.parse(event.data);
    position = event.lastEventId || position;
    show(told.balance);
    announce(name, told);
    if (name === "snapshot") return;
    clearTimeout(settling);
    settling = setTimeout(() => reread().catch(() => {}), SETTLE_MS);
  };

  const close = () => {
    if (source) source.close();
    source = null;
    clearInterval(polling);
    clearTimeout(again);
    polling = 0;
  };

  const look = async () => {
    try {
      const headers = { "Scrip-Account": account };
      const answer = await fetch("/api/credits/balance", { headers });
      if (answer.status === 404) {
        close();
        state("off: you are not in this team any more");
      } else if (answer.status === 401) {
        close();
        state("signed out");
      } else if (answer.ok) {
        const read = await answer.json();
        position = read.position;
        show(read);
        state("every 20 seconds");
      } else throw new Error("not now");
    } catch {
      state(`up to ${good.toLocaleTimeString("en-GB")}, retrying`);
    }
  };

  const poll = () => {
    if (polling) return;
    polling = setInterval(look, POLL_MS);
    look();
  };

  const open = () => {
    close();
    if (!wanted() || document.hidden) return;
    const stream = (source = new EventSource(
      `/api/live?after=${encodeURIComponent(position)}&account=${encodeURIComponent(account)}`,
    ));
    for (const name of ["snapshot", "balance", "purchase", "alert"])
      stream.addEventListener(name, heard(name));
    stream.onopen = () => {
      clearInterval(polling);
      polling = 0;
      state("on");
    };
    stream.onerror = () => {
      if (source !== stream) return;
      poll();
      if (stream.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_MS);
    };
  };

  const turn = () => {
    knob.setAttribute("aria-pressed", String(wanted()));
    state(wanted() ? "starting" : "off");
    open();
  };

  knob.hidden = false;
  knob.addEventListener("click", () => {
    localStorage.setItem(KEY, wanted() ? "off" : "on");
    turn();
  });
  document.addEventListener("visibilitychange", open);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  turn();
})();
