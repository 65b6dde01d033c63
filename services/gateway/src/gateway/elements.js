// <credit-balance> and <tool-cost-estimate>: two elements in the page's own light, for any host.
//
//   <script src="https://scrip.example/embed/elements.js" defer></script>
//   <credit-balance token-url="/scrip-token"></credit-balance>
//   <tool-cost-estimate tool="dev-studio-security" cpu-ms="2000" token-url="/scrip-token">…
//
// `token-url` is an address of the host's own that answers with an embed token as text; `token` may
// be set instead. What is inside an element stays until there is something to show. Under a strict
// policy the host allows this script's origin in `script-src` and `connect-src`, nothing more.
"use strict";
(() => {
  const here = new URL(document.currentScript.src).origin;
  const EVERY_MS = 20000; // how often a balance that can be seen is looked at
  const TYPING_MS = 300; // a pause in typing
  const tokens = new Map(); // by token-url: a promise that all elements of the page share

  const fetched = (url) => {
    if (!tokens.has(url)) {
      const asked = fetch(url, { credentials: "same-origin", cache: "no-store" })
        .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error("no token"))))
        .then((text) => text.trim());
      tokens.set(url, asked);
      asked.catch(() => tokens.delete(url));
    }
    return tokens.get(url);
  };

  // A fragment is parsed as a document, which runs nothing and needs no permission of a policy.
  const fragment = (path, token, signal) =>
    new Promise((done, failed) => {
      const asked = new XMLHttpRequest();
      asked.open("GET", here + path);
      asked.responseType = "document";
      asked.timeout = 10000;
      asked.setRequestHeader("Authorization", `Bearer ${token}`);
      asked.onload = () => done({ status: asked.status, body: asked.responseXML && asked.responseXML.body });
      asked.onerror = asked.ontimeout = () => failed(new Error("unreachable"));
      asked.onabort = () => failed(new DOMException("another one was asked for", "AbortError"));
      signal.addEventListener("abort", () => asked.abort());
      asked.send();
    });

  class ScripElement extends HTMLElement {
    connectedCallback() {
      this.refresh();
    }

    disconnectedCallback() {
      if (this.asking) this.asking.abort();
      clearTimeout(this.typing);
    }

    attributeChangedCallback(_name, before, after) {
      if (!this.isConnected || before === after) return;
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.refresh(), TYPING_MS);
    }

    async refresh() {
      if (this.asking) this.asking.abort();
      const asking = (this.asking = new AbortController());
      const slow = setTimeout(() => this.setAttribute("aria-busy", "true"), 300);
      try {
        await this.ask(asking.signal);
        this.removeAttribute("data-stale");
      } catch (why) {
        if (why.name === "AbortError") return;
        this.setAttribute("data-stale", "");
      } finally {
        clearTimeout(slow);
        if (this.asking === asking) this.removeAttribute("aria-busy");
      }
    }

    async ask(signal, again = true) {
      const url = this.getAttribute("token-url");
      const token = url ? await fetched(url) : this.getAttribute("token") || "";
      const answer = await fragment(this.path, token, signal);
      if (signal.aborted || !answer.body) throw new DOMException("too late", "AbortError");
      if (answer.status === 401 && url && again) {
        tokens.delete(url);
        return this.ask(signal, false);
      }
      const shown = answer.body.firstElementChild;
      const failed = answer.status >= 400;
      if (failed && answer.status !== 422 && answer.status !== 404 && this.shown) {
        this.fire("scrip-problem", shown);
        throw new Error("kept what was shown");
      }
      this.shown = !failed;
      this.replaceChildren(document.adoptNode(shown));
      this.fire(failed ? "scrip-problem" : "scrip-shown", shown);
    }

    fire(name, shown) {
      this.dispatchEvent(new CustomEvent(name, { bubbles: true, detail: { ...shown.dataset } }));
    }
  }

  class CreditBalance extends ScripElement {
    static observedAttributes = ["token", "token-url"];

    get path() {
      return "/embed/balance";
    }

    connectedCallback() {
      super.connectedCallback();
      this.looking = setInterval(() => document.hidden || this.refresh(), EVERY_MS);
      this.seen = () => document.hidden || this.refresh();
      document.addEventListener("visibilitychange", this.seen);
    }

    disconnectedCallback() {
      super.disconnectedCallback();
      clearInterval(this.looking);
      document.removeEventListener("visibilitychange", this.seen);
    }
  }

  class ToolCostEstimate extends ScripElement {
    static observedAttributes = ["token", "token-url", "tool", "cpu-ms", "memory-mb", "duration-ms"];

    get path() {
      const query = new URLSearchParams({ toolId: this.getAttribute("tool") || "" });
      for (const [name, asked] of [["cpuMs", "cpu-ms"], ["memoryMb", "memory-mb"], ["durationMs", "duration-ms"]]) {
        if (this.getAttribute(asked)) query.set(name, this.getAttribute(asked));
      }
      return `/embed/estimate?${query}`;
    }

    connectedCallback() {
      // Said politely, because it follows what the person types; a host may decide otherwise.
      if (!this.hasAttribute("aria-live")) this.setAttribute("aria-live", "polite");
      super.connectedCallback();
    }
  }

  customElements.define("credit-balance", CreditBalance);
  customElements.define("tool-cost-estimate", ToolCostEstimate);
})();
