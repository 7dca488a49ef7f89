/* The room: what is selected, what the server said, and who must hear of it. */
(function () {
  "use strict";
  const radzoo = (window.radzoo = window.radzoo || {});
  const state = { rows: [], detail: null, selected: null, threshold: 0.5, filter: "all", started: false };
  radzoo.state = state;
  radzoo.boot = { texts: {}, language: "en" };

  /* ---- words and numbers ------------------------------------------------------------------- */

  /* A sentence with {values} filled in. */
  radzoo.text = (key, values = {}) =>
    (radzoo.boot.texts[key] || key).replace(/\{(\w+)\}/g, (_, name) => values[name]);

  radzoo.number = (value, digits = 0) =>
    value.toLocaleString(radzoo.boot.language, { minimumFractionDigits: digits, maximumFractionDigits: digits });

  radzoo.percent = (share, digits = 0) =>
    radzoo.number(100 * share, digits) + (radzoo.boot.language === "es" ? "\u00a0%" : "%");

  /* A probability: never 0 or 100 %, which no model may claim. */
  radzoo.probability = (share, digits = 0) => {
    const least = 10 ** -(digits + 2) * (1 - 1e-9);
    if (share < least) return `< ${radzoo.percent(least, digits)}`;
    if (share > 1 - least) return `> ${radzoo.percent(1 - least, digits)}`;
    return radzoo.percent(share, digits);
  };

  /* ---- the server -------------------------------------------------------------------------- */

  const cookie = (name) => (document.cookie.split("; ").find((one) => one.startsWith(`${name}=`)) || "").slice(name.length + 1);

  /* fetch() that carries our token, asks for JSON, and raises the server's own sentence. */
  radzoo.fetch = async (path, options = {}) => {
    const headers = { Accept: "application/json, */*;q=0.5", "X-CSRFToken": radzoo.csrf(), ...options.headers };
    const answer = await fetch(path, { ...options, headers, credentials: "same-origin" });
    if (answer.status === 401) window.location.assign("/login");
    if (!answer.ok) {
      const told = await answer.json().catch(() => null);
      throw new Error(told && told.error ? told.error.message : radzoo.text("failed", { status: answer.status }));
    }
    return answer;
  };

  radzoo.csrf = () => cookie(radzoo.boot.csrf_cookie);

  radzoo.send = (method, path, content) =>
    radzoo.fetch(path, { method, body: JSON.stringify(content), headers: { "Content-Type": "application/json" } });

  const query = () => `?model=${radzoo.boot.model}`;

  /* ---- rows and the one that is read ------------------------------------------------------- */

  radzoo.refresh = async (choose) => {
    const told = await radzoo.fetch(`/api/v1/studies${query()}`).then((answer) => answer.json());
    state.rows = told.studies;
    radzoo.worklist.show(state.rows);
    const wanted = choose || state.selected || (state.rows[0] && state.rows[0].id);
    await radzoo.select(state.rows.some((row) => row.id === wanted) ? wanted : null, true);
  };

  let asked = 0;
  radzoo.select = async (id, again) => {
    if (id === state.selected && !again) return;
    state.selected = id;
    radzoo.worklist.select(id);
    const turn = ++asked;
    if (!id) {
      state.detail = null;
    } else {
      const told = await radzoo.fetch(`/api/v1/studies/${id}${query()}`).then((answer) => answer.json());
      if (turn !== asked) return; // the reader has gone on: an old answer is never shown for a new film
      state.detail = told;
    }
    document.getElementById("viewer-empty").hidden = Boolean(state.detail && state.detail.facts);
    radzoo.panel.show(state.detail);
    await radzoo.viewer.show(state.detail).catch(radzoo.complain);
  };

  radzoo.complain = (error) => {
    const place = document.getElementById("complaint");
    place.textContent = error.message;
    place.hidden = false;
    window.setTimeout(() => { place.hidden = true; }, 12000);
  };

  /* Show what another model says, of the same film. */
  radzoo.ask = (key) => {
    if (key === radzoo.boot.model) return;
    if (state.selected) sessionStorage.setItem("radzoo-film", state.selected);
    document.cookie = `radzoo_model=${key}; path=/; SameSite=Strict`;
    window.location.reload();
  };

  /* ---- the threshold ----------------------------------------------------------------------- */

  let saving = 0;
  function cut(threshold) {
    if (threshold === state.threshold) return;
    state.threshold = threshold;
    tell();
    window.clearTimeout(saving);
    saving = window.setTimeout(
      () => radzoo.send("PUT", "/api/v1/settings", { threshold, model: radzoo.boot.model }).catch(radzoo.complain), 400);
  }

  function tell() {
    radzoo.worklist.paint();
    radzoo.panel.show(state.detail);
  }

  /* ---- keys and buttons -------------------------------------------------------------------- */

  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const viewer = () => radzoo.viewer;
  const ACTS = {
    window: () => tool("window"), pan: () => tool("pan"), zoom: () => tool("zoom"),
    invert: () => { viewer().set({ inverted: !viewer().view.inverted }); radzoo.pressed("invert", viewer().view.inverted); },
    fit: () => viewer().fit(), reset: () => { viewer().reset(); set("preset", { value: "file" }); }, full: fullScreen,
    map: () => set("map-on", { checked: !viewer().view.shown }),
    first: () => mapOf(0), second: () => mapOf(1),
    more: () => opacity(5), less: () => opacity(-5),
    next: () => radzoo.worklist.step(1), previous: () => radzoo.worklist.step(-1),
    leave: () => radzoo.fetch("/logout", { method: "POST" }).then(() => window.location.assign("/login"), radzoo.complain),
    examples: () => examples().catch(radzoo.complain),
    keys: () => document.getElementById("keys").showModal(),
    shut: () => document.getElementById("keys").close(),
    finding: () => radzoo.panel.read("finding"), none: () => radzoo.panel.read("no_finding"), unsure: () => radzoo.panel.read("uncertain"),
  };
  const KEYS = {
    w: "window", p: "pan", z: "zoom", i: "invert", f: "fit", r: "reset", o: "map", 0: "first", 1: "second",
    "]": "more", "[": "less", ArrowDown: "next", ArrowUp: "previous", j: "next", k: "previous", "?": "keys",
  };
  const ON_CANVAS = { ArrowLeft: [40, 0], ArrowRight: [-40, 0] };

  const opacity = (by) => set("map-opacity", { value: Math.max(0, Math.min(100, Math.round(100 * viewer().view.opacity) + by)) });

  const mapOf = (label) => { if (radzoo.boot.labels.includes(label)) set("map-class", { value: String(label) }); };

  function tool(name) {
    viewer().set({ tool: name });
    ["window", "pan", "zoom"].forEach((one) => radzoo.pressed(one, one === name));
  }

  radzoo.pressed = (act, on) =>
    document.querySelectorAll(`[data-act="${act}"]`).forEach((button) => button.setAttribute("aria-pressed", on));

  async function examples() {
    const told = await radzoo.send("POST", `/api/v1/examples${query()}`, {}).then((answer) => answer.json());
    await radzoo.refresh(told.ids[0]);
  }

  function fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.getElementById("stage").requestFullscreen();
  }

  const BUSY = "input, textarea, select, [role=slider], [role=radio], [role=combobox], [role=option], dialog, [role=dialog]";
  const reading = () => !document.getElementById("reading").hidden;

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !reading() || event.target.closest(BUSY)) return;
    if (event.code === "Space" && !event.target.closest("button, a, label, [role=row]")) {
      viewer().set({ peek: true });
      event.preventDefault();
    } else if (event.target.tagName === "CANVAS" && event.key in ON_CANVAS) {
      viewer().move(...ON_CANVAS[event.key]);
      event.preventDefault();
    } else if (event.target.tagName === "CANVAS" && "+-".includes(event.key)) {
      viewer().zoomBy(event.key === "+" ? 1.25 : 0.8);
    } else if (KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key]) {
      ACTS[KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key]]();
      event.preventDefault();
    }
  }

  function listen() {
    // before the grid, which keeps the arrows for its cells
    document.addEventListener("keydown", onKey, true);
    document.addEventListener("keyup", (event) => { if (event.code === "Space") viewer().set({ peek: false }); });
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (button) ACTS[button.dataset.act]();
    });
  }

  /* ---- what Dash calls --------------------------------------------------------------------- */

  async function start(boot) {
    if (state.started) return;
    state.started = true;
    radzoo.boot = boot;
    state.threshold = boot.threshold;
    viewer().mount(document.getElementById("viewer"));
    radzoo.upload.mount();
    radzoo.panel.mount();
    listen();
    await radzoo.worklist.ready();
    await radzoo.refresh(sessionStorage.getItem("radzoo-film")).catch(radzoo.complain);
    sessionStorage.removeItem("radzoo-film");
    document.body.dataset.ready = "yes";
  }

  const nothing = () => window.dash_clientside.no_update;
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    radzoo: {
      start: (boot) => { start(boot); return nothing(); },
      threshold: (value) => { if (state.started) cut(Math.round(100 * value) / 100); return radzoo.number(value, 2); },
      preset_threshold: (value) => parseFloat(value),
      layout: (layout) => { if (state.started) viewer().set({ layout }); return nothing(); },
      preset: (name) => { if (state.started) viewer().preset(name); return nothing(); },
      map: (on, label, share, cut_off, colours) => {
        if (state.started) viewer().set({ shown: on, label: Number(label), opacity: share / 100, cut: cut_off / 100, colours });
        return [radzoo.percent(share / 100), radzoo.percent(cut_off / 100)];
      },
      filter: (name) => { state.filter = name; if (state.started) radzoo.worklist.filter(); return nothing(); },
      chosen: (rows) => { if (state.started && Array.isArray(rows) && rows.length) radzoo.select(rows[0].id).catch(radzoo.complain); return nothing(); },
      read_first: async (on) => {
        if (state.started && on !== radzoo.boot.read_first) {
          radzoo.boot.read_first = on;
          await radzoo.send("PUT", "/api/v1/settings", { read_first: on }).then(() => radzoo.refresh()).catch(radzoo.complain);
        }
        return window.dash_clientside.no_update;
      },
      page: (name) => {
        for (const one of ["reading", "training", "model"]) document.getElementById(one).hidden = one !== name;
        return name !== "training";
      },
      theme: (clicks, kept) => {
        const triggered = window.dash_clientside.callback_context.triggered.some((one) => one.prop_id === "theme.n_clicks");
        const now = triggered && clicks ? (kept === "dark" ? "light" : "dark") : kept || "dark";
        for (const place of [document.documentElement, document.body]) place.dataset.agThemeMode = now;
        return [now, now];
      },
      model: (key) => {
        if (state.started) radzoo.ask(key);
        return window.dash_clientside.no_update;
      },
    },
  });
})();
