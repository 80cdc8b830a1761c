/* Shows a customer's in-app feed: modal, banner, sidebar and inbox. No dependencies, no inline style or script.
 *
 *   <script src="https://YOUR-ENGINE/static/widget.js" data-token="FEED TOKEN" defer></script>
 *
 * or, for a token that is renewed:
 *   OrchestratorFeed.start({ base: "https://YOUR-ENGINE", token: () => fetch("/my/feed-token").then(r => r.text()) })
 *
 * Messages arrive sanitised; what is inserted is checked once more against the same short list of elements.
 */
(function () {
  "use strict";

  const WORDS = {
    en: { close: "Dismiss", inbox: "Messages", empty: "No messages", send: "Send", thanks: "Thank you.", remark: "Your comment", region: "Message" },
    de: { close: "Schließen", inbox: "Nachrichten", empty: "Keine Nachrichten", send: "Senden", thanks: "Vielen Dank.", remark: "Ihr Kommentar", region: "Nachricht" },
  };
  const ELEMENTS = new Set(["A", "B", "BR", "EM", "H2", "H3", "I", "IMG", "LI", "OL", "P", "STRONG", "UL"]);
  const ATTRIBUTES = { A: ["href"], IMG: ["src", "alt", "width", "height"] };
  const ADDRESS = /^(https?:|mailto:|tel:)/i;
  const CSS = `
    :host { all: initial; }
    * { box-sizing: border-box; }
    .root { --card:#fff; --ink:#1f2733; --soft:#5b6472; --line:#d5dae1; --accent:#2f5d50; --on:#fff;
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", Arial, sans-serif; color: var(--ink); }
    @media (prefers-color-scheme: dark) {
      .root { --card:#1c222b; --ink:#e8ebef; --soft:#a3acb9; --line:#3a4350; --accent:#8fd3bd; --on:#10201b; }
    }
    .card { background: var(--card); color: var(--ink); border: 1px solid var(--line); border-radius: 14px;
      box-shadow: 0 12px 40px rgba(0,0,0,.22); padding: 20px 22px; position: relative; }
    .banner { position: fixed; z-index: 2147483000; top: 12px; left: 50%; transform: translateX(-50%);
      width: min(760px, calc(100vw - 24px)); }
    .sidebar { position: fixed; z-index: 2147483000; top: 12px; right: 12px; bottom: 12px; overflow: auto;
      width: min(360px, calc(100vw - 24px)); }
    dialog.card { width: min(480px, calc(100vw - 32px)); max-height: calc(100vh - 48px); overflow: auto; margin: auto; }
    dialog::backdrop { background: rgba(10,14,20,.55); }
    h2.title { font-size: 20px; line-height: 1.3; margin: 0 40px 10px 0; }
    h2.title:focus { outline: none; }
    p, ul, ol { margin: 0 0 12px; } ul, ol { padding-left: 22px; }
    img { max-width: 100%; height: auto; }
    a { color: var(--accent); }
    .close { position: absolute; top: 10px; right: 10px; width: 40px; height: 40px; padding: 0; border-radius: 50%;
      border: 0; font-size: 22px; line-height: 1; background: transparent; color: var(--soft); cursor: pointer; }
    .main, .answer, .send { display: inline-block; font: inherit; font-weight: 600; padding: 10px 18px; border-radius: 9px;
      border: 1px solid var(--accent); text-decoration: none; cursor: pointer; }
    .main, .send { background: var(--accent); color: var(--on); }
    .answer { background: transparent; color: inherit; border-color: var(--line); margin: 0 8px 8px 0; }
    .answer[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
    .scale .answer { padding: 8px 12px; margin-right: 4px; }
    textarea { width: 100%; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line);
      border-radius: 8px; padding: 8px 10px; margin: 4px 0 12px; }
    .bell { position: fixed; z-index: 2147482999; right: 16px; bottom: 16px; font: inherit; font-weight: 600;
      padding: 12px 18px; border-radius: 24px; border: 1px solid var(--line); background: var(--card); color: var(--ink);
      cursor: pointer; box-shadow: 0 6px 20px rgba(0,0,0,.18); }
    .panel { position: fixed; z-index: 2147482999; right: 16px; bottom: 76px; width: min(380px, calc(100vw - 32px));
      max-height: 70vh; overflow: auto; }
    .panel article { position: relative; border-top: 1px solid var(--line); padding: 14px 0 4px; }
    .panel article:first-of-type { border-top: 0; padding-top: 0; }
    .panel .close { top: 4px; right: -8px; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    @media (prefers-reduced-motion: no-preference) { .card { animation: come .18s ease-out; } @keyframes come { from { opacity: 0 } } }
  `;

  function start(options) {
    const base = (options.base || "").replace(/\/$/, "");
    const words = WORDS[(document.documentElement.lang || "en").slice(0, 2)] || WORDS.en;
    const host = document.createElement("orchestrator-feed");
    const shadow = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    shadow.adoptedStyleSheets = [sheet];
    const root = make("div", { class: "root" });
    shadow.append(root);
    document.body.append(host);

    const shown = new Map(); // id -> element
    const done = new Set(); // dismissed or answered here: a late answer of the feed does not bring them back
    const seen = new Set();
    let stopped = false;
    let version = "";
    let inboxOpen = false;
    let bell = null;
    let panel = null;
    let reader = null;

    async function call(method, path, body) {
      const token = typeof options.token === "function" ? await options.token() : options.token;
      const headers = { Authorization: "Bearer " + token };
      if (body) headers["Content-Type"] = "application/json";
      if (version && path === "/stream") headers["Last-Event-ID"] = version;
      return fetch(base + "/v1/feed" + path, { method, headers, body: body && JSON.stringify(body), keepalive: method === "POST" });
    }

    function did(item, word, body) {
      call("POST", "/" + encodeURIComponent(item.id) + "/" + word, body || {}).catch(function () {});
    }

    function finish(item) {
      done.add(item.id);
      const element = shown.get(item.id);
      shown.delete(item.id);
      if (element) {
        if (element.tagName === "DIALOG" && element.open) element.close();
        element.remove();
      }
      draw(items.filter((other) => other.id !== item.id));
    }

    function dismiss(item) {
      did(item, "dismissed");
      finish(item);
    }

    let items = [];
    function draw(next) {
      items = next.filter((item) => !done.has(item.id));
      const current = new Set(items.map((item) => item.id));
      for (const [id, element] of shown) {
        if (!current.has(id)) {
          if (element.tagName === "DIALOG" && element.open) element.close();
          element.remove();
          shown.delete(id);
        }
      }
      for (const kind of ["modal", "banner", "sidebar"]) {
        // One of each kind at a time: the next comes when this one is gone.
        const first = items.find((item) => item.display === kind);
        if (first && !shown.has(first.id)) show(first, kind);
      }
      drawInbox(items.filter((item) => item.display === "inbox"));
    }

    function show(item, kind) {
      const card = make(kind === "modal" ? "dialog" : "section", { class: "card " + kind });
      fill(card, item, kind);
      shown.set(item.id, card);
      root.append(card);
      if (kind === "modal") {
        card.addEventListener("cancel", function (event) { event.preventDefault(); dismiss(item); });
        card.showModal();
      } else {
        card.setAttribute("role", "region");
        card.setAttribute("aria-live", "polite");
        card.addEventListener("keydown", function (event) { if (event.key === "Escape") dismiss(item); });
      }
      noteSeen(item);
    }

    function noteSeen(item) {
      if (seen.has(item.id) || item.seen) return;
      if (document.visibilityState !== "visible") {
        document.addEventListener("visibilitychange", function () { noteSeen(item); }, { once: true });
        return;
      }
      seen.add(item.id);
      did(item, "seen");
    }

    function fill(card, item, kind) {
      const titleId = "title-" + item.id;
      const title = make("h2", { class: "title", id: titleId, tabindex: "-1" }, item.title || words.region);
      if (kind === "modal") title.setAttribute("autofocus", "");
      card.setAttribute("aria-labelledby", titleId);
      card.append(title, content(item));
      if (item.button && item.button.url && ADDRESS.test(item.button.url)) {
        const link = make("a", { class: "main", href: item.button.url, rel: "noopener" }, item.button.label);
        link.addEventListener("click", function () { if (kind !== "inbox") finish(item); });
        card.append(make("p", {}), link);
      }
      if ((item.choices && item.choices.length) || item.scale) card.append(question(item));
      const close = make("button", { class: "close", type: "button", "aria-label": words.close }, "×");
      close.addEventListener("click", function () { dismiss(item); });
      card.append(close);
    }

    function question(item) {
      const form = make("div", {});
      const group = make("div", { role: "group", "aria-label": item.title || words.region, class: item.scale ? "scale" : "" });
      const keys = item.scale
        ? Array.from({ length: item.scale[1] - item.scale[0] + 1 }, (_, i) => [String(item.scale[0] + i), String(item.scale[0] + i)])
        : item.choices;
      let chosen = null;
      let remark = null;
      function send() {
        did(item, "answered", { detail: chosen, comment: (remark && remark.value.trim()) || null });
        form.replaceChildren(make("p", { role: "status" }, words.thanks));
        setTimeout(function () { finish(item); }, 1500);
      }
      for (const [key, label] of keys) {
        const button = make("button", { type: "button", class: "answer", "aria-pressed": "false" }, label);
        button.addEventListener("click", function () {
          chosen = key;
          for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
          if (item.comment === null || item.comment === undefined) send();
          else rest.hidden = false;
        });
        group.append(button);
      }
      form.append(group);
      const rest = make("div", {});
      rest.hidden = true;
      if (item.comment !== null && item.comment !== undefined) {
        const label = make("label", {}, item.comment || words.remark);
        remark = make("textarea", { rows: "3", maxlength: "4000" });
        label.append(remark);
        const button = make("button", { type: "button", class: "send" }, words.send);
        button.addEventListener("click", send);
        rest.append(label, button);
        form.append(rest);
      }
      return form;
    }

    function drawInbox(list) {
      if (!list.length && !inboxOpen) {
        if (bell) { bell.remove(); bell = null; }
        if (panel) { panel.remove(); panel = null; }
        return;
      }
      if (!bell) {
        bell = make("button", { class: "bell", type: "button", "aria-expanded": "false" });
        bell.addEventListener("click", function () { toggle(!inboxOpen); });
        root.append(bell);
      }
      bell.textContent = words.inbox + (list.length ? " (" + list.length + ")" : "");
      if (panel) { panel.remove(); panel = null; }
      if (!inboxOpen) return;
      panel = make("section", { class: "card panel", "aria-label": words.inbox });
      panel.addEventListener("keydown", function (event) { if (event.key === "Escape") toggle(false); });
      if (!list.length) panel.append(make("p", {}, words.empty));
      for (const item of list) {
        const entry = make("article", {});
        fill(entry, item, "inbox");
        panel.append(entry);
        noteSeen(item);
      }
      root.append(panel);
    }

    function toggle(open) {
      inboxOpen = open;
      drawInbox(items.filter((item) => item.display === "inbox"));
      if (bell) { bell.setAttribute("aria-expanded", String(open)); if (!open) bell.focus(); }
    }

    async function listen() {
      let pause = 1000;
      while (!stopped) {
        try {
          const response = await call("GET", "/stream");
          if (response.status === 401 && typeof options.token !== "function") return; // its time is over
          if (!response.ok) throw new Error(String(response.status));
          pause = 1000;
          await follow(response.body);
        } catch (error) {
          if (stopped) return;
          await new Promise((resolve) => setTimeout(resolve, pause));
          pause = Math.min(pause * 2, 60000);
        }
      }
    }

    async function follow(body) {
      reader = body.getReader();
      const decoder = new TextDecoder();
      let rest = "";
      for (;;) {
        const { value, done: ended } = await reader.read();
        if (ended) return;
        rest += decoder.decode(value, { stream: true });
        const events = rest.split("\n\n");
        rest = events.pop();
        for (const event of events) {
          const fields = {};
          for (const line of event.split("\n")) {
            const colon = line.indexOf(": ");
            if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
          }
          if (fields.event === "feed" && fields.data) {
            version = fields.id || "";
            draw(JSON.parse(fields.data).items);
          }
        }
      }
    }

    listen();
    return {
      stop: function () { stopped = true; if (reader) reader.cancel().catch(function () {}); host.remove(); },
    };
  }

  function content(item) {
    const holder = make("div", { class: "content" });
    if (!item.html) {
      for (const paragraph of (item.text || "").split(/\n{2,}/)) if (paragraph) holder.append(make("p", {}, paragraph));
      return holder;
    }
    const parsed = new DOMParser().parseFromString(item.html, "text/html");
    copy(parsed.body, holder);
    return holder;
  }

  function copy(from, to) {
    for (const node of from.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) {
        to.append(node.data);
      } else if (node.nodeType === Node.ELEMENT_NODE) {
        if (!ELEMENTS.has(node.tagName)) {
          if (node.tagName !== "SCRIPT" && node.tagName !== "STYLE") copy(node, to);
          continue;
        }
        const element = document.createElement(node.tagName);
        for (const name of ATTRIBUTES[node.tagName] || []) {
          const value = node.getAttribute(name);
          if (value === null) continue;
          if ((name === "href" || name === "src") && !ADDRESS.test(value)) continue;
          element.setAttribute(name, value);
        }
        if (node.tagName === "A") element.rel = "noopener noreferrer";
        copy(node, element);
        to.append(element);
      }
    }
  }

  function make(tag, attributes, text) {
    const element = document.createElement(tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  window.OrchestratorFeed = { start: start };

  const script = document.currentScript;
  if (script && script.dataset.token) {
    const base = script.dataset.base || new URL(script.src, location.href).origin;
    const begin = function () { start({ base: base, token: script.dataset.token }); };
    if (document.body) begin();
    else document.addEventListener("DOMContentLoaded", begin);
  }
})();
