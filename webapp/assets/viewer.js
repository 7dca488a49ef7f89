/* The viewer: window and level on the film's own grey levels, heatmaps coloured here, linked panes.
   Nothing below asks the server: a film and its maps are fetched once. */
(function () {
  "use strict";
  const radzoo = (window.radzoo = window.radzoo || {});

  // matplotlib's colour maps at nine places, even in lightness and safe for colour-blind readers
  const COLOURS = {
    inferno: [[0, 0, 4], [33, 12, 74], [87, 16, 110], [138, 34, 106], [188, 55, 84], [228, 90, 49], [249, 142, 9], [249, 203, 53], [252, 255, 164]],
    viridis: [[68, 1, 84], [71, 45, 123], [59, 82, 139], [44, 114, 142], [33, 145, 140], [40, 174, 128], [94, 201, 98], [173, 220, 48], [253, 231, 37]],
    cividis: [[0, 34, 78], [26, 56, 111], [67, 78, 108], [97, 101, 111], [125, 124, 120], [155, 148, 118], [188, 174, 108], [222, 201, 88], [254, 232, 56]],
  };
  const PRESETS = { file: [1, 0], lung: [0.75, -0.18], mediastinum: [0.5, 0.3], bone: [0.62, 0.2] };
  const CLOSEST = 24, FARTHEST = 0.3;
  const KEPT = 6; // films that stay decoded

  const view = {
    film: null, tool: "window", layout: "single", label: 1,
    centre: 0, width: 1, zoom: 1, x: 0, y: 0, fit: 1, inverted: false,
    shown: true, peek: false, hidden: false, opacity: 0.45, cut: 0.25, colours: "inferno",
  };
  const kept = new Map();
  let panes = [], base = null, drawn = "", frame = 0, root = null;

  /* ---- films ------------------------------------------------------------------------------- */

  async function fetchPixels(study) {
    const facts = study.facts;
    const buffer = await radzoo.fetch(`/api/v1/studies/${study.id}/pixels`).then((r) => r.arrayBuffer());
    return facts.depth === 16 ? new Uint16Array(buffer) : new Uint8Array(buffer);
  }

  async function fetchMap(study, label) {
    const query = `?model=${study.model}`;
    const blob = await radzoo.fetch(`/api/v1/studies/${study.id}/maps/${label}${query}`).then((r) => r.blob());
    const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    const rgba = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
    const share = new Uint8Array(bitmap.width * bitmap.height);
    for (let i = 0; i < share.length; i++) share[i] = rgba[4 * i];
    return { width: bitmap.width, height: bitmap.height, share, painted: {} };
  }

  async function load(study) {
    const name = `${study.id} ${study.model}`;
    const film = kept.get(name) || { id: study.id, pixels: null, maps: {} };
    kept.delete(name);
    kept.set(name, film); // the latest is last
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
    Object.assign(film, { facts: study.facts, name: study.name, study });
    if (!film.pixels) film.pixels = await fetchPixels(study);
    const labels = study.found ? radzoo.boot.labels : [];
    await Promise.all(labels.map(async (label) => {
      if (!film.maps[label]) film.maps[label] = await fetchMap(study, label);
    }));
    return film;
  }

  /* Show a study; `detail` as the API gives it, null for none. */
  async function show(detail) {
    root.removeAttribute("data-ready");
    if (!detail || !detail.facts) {
      view.film = null;
      wanted = null;
      draw();
      return;
    }
    wanted = detail.id;
    root.classList.add("busy");
    try {
      const film = await load(detail);
      if (wanted !== detail.id) return; // the reader has gone on
      const same = view.film && view.film.id === film.id;
      view.film = film;
      view.hidden = !detail.found;
      if (!same) reset();
      drawn = "";
      draw();
      root.dataset.ready = detail.id;
    } finally {
      if (wanted === detail.id) root.classList.remove("busy");
    }
  }
  let wanted = null;

  /* ---- panes ------------------------------------------------------------------------------- */

  const labelsOf = () =>
    view.layout === "split" ? [null, view.label] : view.layout === "classes" ? [0, 1] : [view.label];

  const element = (tag, name, parent) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    parent.appendChild(made);
    return made;
  };

  function build() {
    panes.forEach((pane) => pane.root.remove());
    panes = labelsOf().map((label) => {
      const pane = { root: element("div", "pane", root), label };
      pane.canvas = element("canvas", "", pane.root);
      pane.canvas.tabIndex = 0;
      pane.canvas.setAttribute("role", "img");
      for (const place of ["top-left", "top-right", "bottom-left", "bottom-right", "left", "right"]) {
        pane[place] = element("div", `note ${place}`, pane.root);
      }
      pane.scale = element("div", "scale", pane.root);
      element("span", "one", pane.scale).textContent = radzoo.text("viewer_strongest");
      element("i", "", pane.scale);
      element("span", "zero", pane.scale).textContent = "0";
      listen(pane.canvas);
      return pane;
    });
    measure();
    draw();
  }

  function measure() {
    if (!view.film || !panes.length) return;
    const box = panes[0].root.getBoundingClientRect();
    const { shown_columns: columns, shown_rows: rows } = view.film.facts;
    view.fit = Math.min(box.width / columns, box.height / rows) || 1;
  }

  function fit() {
    if (!view.film) return;
    measure();
    Object.assign(view, { zoom: 1, x: view.film.facts.shown_columns / 2, y: view.film.facts.shown_rows / 2 });
    draw();
  }

  function reset() {
    if (!view.film) return;
    const [centre, width] = view.film.facts.window;
    Object.assign(view, { centre, width, inverted: false });
    radzoo.pressed("invert", false);
    fit();
  }

  function preset(name) {
    if (!view.film) return;
    const [centre, width] = view.film.facts.window, [wide, up] = PRESETS[name];
    view.width = width * wide;
    view.centre = centre + width * up;
    draw();
  }

  /* ---- drawing ----------------------------------------------------------------------------- */

  const draw = (coarse) => {
    if (!frame) frame = requestAnimationFrame(() => { frame = 0; drawAll(coarse); });
  };

  function drawAll(coarse) {
    if (view.film) windowed(coarse);
    panes.forEach(drawPane);
  }

  /* The film through the window as a canvas of its own, made anew when the window changes. While
     the window is dragged every second pixel does. */
  function windowed(coarse) {
    const { facts, pixels } = view.film;
    const step = coarse && pixels.length > 1.2e6 ? 2 : 1;
    const name = [view.film.id, view.centre, view.width, view.inverted, step].join();
    if (drawn === name) return;
    drawn = name;
    const columns = Math.floor(facts.shown_columns / step), rows = Math.floor(facts.shown_rows / step);
    if (!base || base.width !== columns || base.height !== rows) base = new OffscreenCanvas(columns, rows);
    const context = base.getContext("2d"), picture = context.createImageData(columns, rows);
    const target = new Uint32Array(picture.data.buffer), grey = greys(facts.depth === 16 ? 65536 : 256);
    let at = 0;
    for (let row = 0; row < rows; row++) {
      let from = row * step * facts.shown_columns;
      for (let column = 0; column < columns; column++, from += step) target[at++] = grey[pixels[from]];
    }
    context.putImageData(picture, 0, 0);
  }

  function greys(levels) {
    const made = new Uint32Array(levels), low = view.centre - view.width / 2;
    for (let level = 0; level < levels; level++) {
      let share = Math.round(Math.min(1, Math.max(0, (level - low) / view.width)) * 255);
      if (view.inverted) share = 255 - share;
      made[level] = (0xff000000 | (share << 16) | (share << 8) | share) >>> 0;
    }
    return made;
  }

  function drawPane(pane) {
    const box = pane.root.getBoundingClientRect(), ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(box.width * ratio), height = Math.round(box.height * ratio);
    if (pane.canvas.width !== width || pane.canvas.height !== height) Object.assign(pane.canvas, { width, height });
    const context = pane.canvas.getContext("2d");
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    annotate(pane);
    if (!view.film || !base) return;
    const { shown_columns: columns, shown_rows: rows } = view.film.facts, scale = view.fit * view.zoom * ratio;
    const place = [width / 2 - view.x * scale, height / 2 - view.y * scale, columns * scale, rows * scale];
    context.imageSmoothingEnabled = scale < 4; // beyond, the pixels themselves are of interest
    context.imageSmoothingQuality = "high";
    context.drawImage(base, ...place);
    if (!mapOn(pane)) return;
    context.imageSmoothingEnabled = true;
    context.globalAlpha = view.opacity;
    context.drawImage(painted(view.film.maps[pane.label]), ...place);
    context.globalAlpha = 1;
  }

  const mapOn = (pane) =>
    view.film && pane.label !== null && view.shown && !view.peek && !view.hidden && Boolean(view.film.maps[pane.label]);

  function painted(map) {
    const name = `${view.colours} ${view.cut}`;
    if (map.painted.name === name) return map.painted.canvas;
    const canvas = new OffscreenCanvas(map.width, map.height), context = canvas.getContext("2d");
    const picture = context.createImageData(map.width, map.height), colours = table(view.colours);
    map.share.forEach((value, i) => {
      const share = value / 255;
      picture.data.set(colours[value], 4 * i);
      picture.data[4 * i + 3] = share < view.cut || !value ? 0 : Math.sqrt(share) * 255;
    });
    context.putImageData(picture, 0, 0);
    map.painted = { name, canvas };
    return canvas;
  }

  function table(name) {
    const places = COLOURS[name], made = [];
    for (let value = 0; value < 256; value++) {
      const at = (value / 255) * (places.length - 1), low = Math.min(places.length - 2, Math.floor(at)), share = at - low;
      made.push(places[low].map((from, i) => Math.round(from + (places[low + 1][i] - from) * share)));
    }
    return made;
  }

  /* ---- what stands on the film ------------------------------------------------------------- */

  function annotate(pane) {
    const film = view.film, on = mapOn(pane);
    const write = (place, text) => { if (pane[place].textContent !== text) pane[place].textContent = text; };
    pane.root.classList.toggle("has-map", Boolean(on));
    pane.root.dataset.colours = view.colours;
    if (!film) {
      ["top-left", "top-right", "bottom-left", "bottom-right", "left", "right"].forEach((place) => write(place, ""));
      pane.canvas.setAttribute("aria-label", radzoo.text("viewer_empty"));
      return;
    }
    const facts = film.facts;
    write("top-left", [film.name, [facts.sex, facts.age].filter(Boolean).join(" "),
      [facts.modality, facts.view, facts.study_date].filter(Boolean).join(" · ")].filter(Boolean).join("\n"));
    write("top-right", on ? `${radzoo.boot.method} · ${film.study.classes[pane.label]}\n${radzoo.boot.model_name}${empty(pane)}` : radzoo.text("viewer_original"));
    write("bottom-left", `W ${Math.round(view.width)}  L ${Math.round(view.centre)}  ${(view.fit * view.zoom).toFixed(2)}×`);
    write("bottom-right", radzoo.text("research_use_only"));
    const [left, right] = sides(facts.orientation);
    write("left", left);
    write("right", right);
    pane.canvas.setAttribute("aria-label", described(pane, on));
  }

  const empty = (pane) =>
    view.film.maps[pane.label].share.some(Boolean) ? "" : `\n${radzoo.text("viewer_no_evidence")}`;

  const described = (pane, on) =>
    [view.film.name, on ? `${radzoo.boot.method}: ${view.film.study.classes[pane.label]}` : radzoo.text("viewer_original")].join(". ");

  /* DICOM says towards which side of the patient the rows run: their end is on the right. */
  function sides(orientation) {
    const end = orientation && orientation[0] ? orientation[0][0] : "", other = { L: "R", R: "L" }[end];
    return other ? [other, end].map((side) => radzoo.text(`viewer_side_${side}`)) : ["", ""];
  }

  /* ---- hands ------------------------------------------------------------------------------- */

  function listen(canvas) {
    const fingers = new Map();
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, event);
      canvas.focus();
      event.preventDefault();
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before || !view.film) return;
      if (fingers.size === 2) pinch(fingers, event);
      else drag(before, event);
      fingers.set(event.pointerId, event);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(kind, (event) => { fingers.delete(event.pointerId); draw(); });
    }
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("dblclick", reset);
    canvas.addEventListener("wheel", (event) => {
      if (!view.film) return;
      event.preventDefault();
      zoomAt(canvas, event, Math.exp(-event.deltaY / 500));
    }, { passive: false });
  }

  function drag(before, event) {
    const right = event.clientX - before.clientX, down = event.clientY - before.clientY;
    const tool = event.buttons & 2 ? "pan" : event.buttons & 4 ? "zoom" : view.tool;
    if (tool === "window") {
      const levels = view.film.facts.highest / 600;
      view.width = Math.max(2, view.width + right * levels);
      view.centre += down * levels;
      draw(true);
    } else if (tool === "pan") {
      move(right, down);
    } else {
      zoomBy(Math.exp(-down / 150));
    }
  }

  function pinch(fingers, event) {
    const [one, other] = [...fingers.values()].map((finger) => (finger.pointerId === event.pointerId ? event : finger));
    const old = [...fingers.values()], apart = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    zoomBy(apart(one, other) / Math.max(1, apart(old[0], old[1])));
  }

  function move(right, down) {
    const scale = view.fit * view.zoom;
    view.x -= right / scale;
    view.y -= down / scale;
    draw();
  }

  function zoomBy(factor) {
    view.zoom = Math.min(CLOSEST, Math.max(FARTHEST, view.zoom * factor));
    draw();
  }

  /* Zoom so that what is under the pointer stays there. */
  function zoomAt(canvas, event, factor) {
    const box = canvas.getBoundingClientRect(), right = event.clientX - box.left - box.width / 2, down = event.clientY - box.top - box.height / 2;
    const before = view.fit * view.zoom;
    zoomBy(factor);
    const after = view.fit * view.zoom;
    view.x += right / before - right / after;
    view.y += down / before - down / after;
  }

  /* ---- what others may do ------------------------------------------------------------------ */

  function set(changes) {
    const rebuilt = ["layout", "label"].some((name) => name in changes && changes[name] !== view[name]);
    Object.assign(view, changes);
    if (rebuilt) build();
    else draw();
  }

  function mount(place) {
    if (root === place) return;
    root = place;
    new ResizeObserver(() => { measure(); draw(); }).observe(root);
    build();
  }

  function forget(id) {
    [...kept.keys()].filter((name) => name.startsWith(id)).forEach((name) => kept.delete(name));
  }

  radzoo.viewer = { view, mount, show, set, fit, reset, preset, draw, move, zoomBy, forget };
})();
