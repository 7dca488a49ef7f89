/* The panel on the right: what the model found, what that is worth here, and the doctor's reading. */
(function () {
  "use strict";
  const radzoo = (window.radzoo = window.radzoo || {});
  const place = (id) => document.getElementById(id);
  const text = (...given) => radzoo.text(...given), percent = (...given) => radzoo.percent(...given);

  /* An element with a class, and texts or elements within. Texts stay texts: nothing is parsed. */
  function make(tag, name, ...content) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    made.append(...content.filter((one) => one !== null && one !== undefined));
    return made;
  }

  const icon = (name) => {
    const made = make("span", `icon icon-${name}`);
    made.setAttribute("aria-hidden", "true");
    return made;
  };

  const fill = (id, ...content) => place(id).replaceChildren(...content);

  function show(detail) {
    const found = detail && detail.found;
    outcome(detail);
    operating();
    reading(detail);
    checks(detail);
    similar(found ? detail : null);
    exports(detail);
  }

  /* ---- the result -------------------------------------------------------------------------- */

  function outcome(detail) {
    if (!detail) return fill("outcome", make("p", "quiet", text("choose")));
    if (detail.state === "refused") return fill("outcome", make("p", "refusal", icon("alert"), detail.refusal));
    if (detail.state === "waiting") return fill("outcome", make("p", "quiet", icon("clock"), text("state_waiting")));
    if (detail.withheld) return fill("outcome", make("p", "hidden-result", icon("eye-off"), text("hidden")));
    const { probabilities, calibrated, like } = detail.found;
    const share = probabilities[probabilities.length - 1], level = radzoo.level(share);
    const said = make("div", `said ${level}`,
      make("div", "big", make("strong", "", radzoo.probability(share)), make("span", "", detail.classes[detail.classes.length - 1])),
      make("p", "verdict", icon(level === "above" ? "flag" : "arrow-down"), text(`${level}_long`)),
      level === "below" ? make("p", "caution", text("does_not_rule_out")) : null);
    const bars = [...probabilities.keys()].reverse().map((label) => bar(detail.classes[label], probabilities[label], label === probabilities.length - 1));
    fill("outcome", said, ...bars, meaning(share, calibrated, like), ...all(detail.found.findings));
  }

  /* What the network says of all its findings, each a button to it; nothing for a model of two classes. */
  function all(findings) {
    if (!findings.length) return [];
    const lines = findings.map((one) => {
      const chosen = one.model === radzoo.boot.model, threshold = chosen ? radzoo.state.threshold : one.threshold;
      const level = one.probability >= threshold ? "above" : "below";
      const button = make("button", level, icon(level === "above" ? "flag" : "arrow-down"),
        make("b", "", one.name), make("span", "", text(`${level}_short`)), make("strong", "", radzoo.probability(one.probability)));
      button.type = "button";
      if (chosen) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => radzoo.ask(one.model));
      return make("li", "", button);
    });
    return [make("div", "all-findings", make("h3", "", text("all_findings")), make("ul", "", ...lines))];
  }

  function bar(name, share, positive) {
    const track = make("span", "track", Object.assign(make("i"), { style: `width:${100 * share}%` }));
    if (positive) track.append(Object.assign(make("b"), { style: `left:${100 * radzoo.state.threshold}%` }));
    return make("div", `share ${positive ? "positive" : "negative"}`, make("span", "", name), track, make("span", "figure", radzoo.probability(share, 1)));
  }

  function meaning(share, calibrated, like) {
    const values = {
      films: like.films, positive: like.positive, low: percent(like.low), high: percent(like.high),
      from: percent(like.bounds[0]), to: percent(like.bounds[1]),
    };
    const lines = make("dl", "meaning", make("dt", "", text("score")), make("dd", "", score(share)));
    lines.append(make("dt", "", text("calibrated")), make("dd", "", calibrated === null ? text("not_measured") : radzoo.probability(calibrated, 1)));
    return make("div", "", lines, make("p", "note", text("like_this", values)));
  }

  const score = (share) =>
    share > 0.9995 ? `> ${radzoo.number(0.999, 3)}` : share < 0.0005 ? `< ${radzoo.number(0.001, 3)}` : radzoo.number(share, 3);

  /* ---- the threshold ----------------------------------------------------------------------- */

  function operating() {
    const table = radzoo.boot.operating, at = Math.max(1, Math.min(99, Math.round(100 * radzoo.state.threshold)));
    const found = table[at - 1];
    fill("operating", rate("sensitivity", found.sensitivity, "missed"), rate("specificity", found.specificity, "alarms"));
    const preset = radzoo.boot.presets.find((one) => Math.abs(one.threshold - radzoo.state.threshold) < 0.005);
    place("threshold-origin").textContent = preset ? preset.rule : "";
  }

  function rate(name, bounds, wrong) {
    if (!bounds) return make("div", "rate", make("strong", "", "–"), make("span", "", text(name)), make("small", "", text("not_measured")));
    const [value, low, high] = bounds;
    const per100 = (share) => radzoo.number(100 * (1 - share));
    return make("div", "rate",
      make("strong", "", percent(value)),
      make("span", "", text(name)),
      make("small", "interval", `${text("interval")} ${radzoo.number(100 * low)}–${percent(high)}`),
      make("small", "", text(wrong, { count: per100(value), from: per100(high), to: per100(low) })));
  }

  /* ---- the doctor's reading ---------------------------------------------------------------- */

  const VERDICTS = ["finding", "no_finding", "uncertain"];
  const drafts = new Map(); // notes by study, of which some wait for a verdict; gone with the page

  function reading(detail) {
    const given = detail && detail.reading, able = Boolean(detail && detail.facts);
    for (const verdict of VERDICTS) {
      const button = place(`read-${verdict}`);
      button.disabled = !able;
      button.setAttribute("aria-pressed", Boolean(given && given.verdict === verdict));
    }
    const note = place("note");
    note.disabled = !able;
    if (note.dataset.study !== (detail ? detail.id : "")) {
      if (note.dataset.study) drafts.set(note.dataset.study, note.value);
      note.value = given ? given.note : (detail && drafts.get(detail.id)) || "";
      note.dataset.study = detail ? detail.id : "";
    }
    place("reading-state").textContent = given ? text(given.blind ? "read_blind" : "read_seen", { at: when(given.at) }) : text("not_read");
  }

  const when = (at) => new Date(at).toLocaleString(radzoo.boot.language, { dateStyle: "medium", timeStyle: "short" });

  async function read(verdict) {
    const detail = radzoo.state.detail;
    if (!detail || !detail.facts) return;
    try {
      await radzoo.send("POST", `/api/v1/studies/${detail.id}/reading`, { verdict, note: place("note").value });
      place("announce").textContent = text("kept", { verdict: text(verdict) });
      await radzoo.refresh();
    } catch (error) {
      radzoo.complain(error);
    }
  }

  async function keepNote() {
    const detail = radzoo.state.detail;
    if (detail && detail.reading && place("note").value !== detail.reading.note) await read(detail.reading.verdict);
  }

  /* ---- checks, similar cases, exports ------------------------------------------------------ */

  const ICONS = { good: "circle-check", note: "info", warning: "alert" };

  function checks(detail) {
    const lines = detail ? detail.checks.map((one) => {
      const level = make("span", "unseen", `${text(`level_${one.level}`)}: `);
      return make("li", one.level, icon(ICONS[one.level]), make("span", "", level, one.text));
    }) : [];
    if (detail && detail.found) lines.push(make("li", "note", icon("target"), make("span", "", detail.found.map_worth)));
    fill("checks", ...(lines.length ? lines : [make("li", "quiet", "–")]));
  }

  function similar(detail) {
    const cases = detail ? detail.found.similar : [];
    place("similar-card").hidden = Boolean(radzoo.state.detail) && !detail;
    fill("similar", ...(cases.length ? cases.map((one) => ("case" in one ? known(detail, one) : own(one))) : [make("p", "quiet", text("no_similar"))]));
  }

  function known(detail, one) {
    const picture = Object.assign(make("img"), { src: `/api/v1/models/${detail.model}/cases/${one.case}`, alt: "", loading: "lazy" });
    const kind = one.label < 0 ? "unknown" : one.label === detail.classes.length - 1 ? "positive" : "negative";
    const made = make("figure", `case ${kind}`, picture,
      make("figcaption", "", make("b", "", one.label < 0 ? text("truth_unknown") : detail.classes[one.label]), make("small", "", text(`side_${one.side}`))));
    made.title = one.id;
    return made;
  }

  function own(one) {
    const picture = Object.assign(make("img"), { src: `/api/v1/studies/${one.study}/thumbnail`, alt: "", loading: "lazy" });
    const button = Object.assign(make("button", "case own", picture, make("span", "", make("b", "", text("yours")), make("small", "", one.name))), { type: "button", title: one.name });
    button.addEventListener("click", () => radzoo.select(one.study).catch(radzoo.complain));
    return button;
  }

  function exports(detail) {
    const able = Boolean(detail && detail.found), query = `?model=${radzoo.boot.model}&threshold=${radzoo.state.threshold}`;
    const label = radzoo.viewer.view.label;
    const paths = detail ? { pdf: "report.pdf", png: `heatmap/${label}.png`, dicom: "dicom.zip" } : {};
    for (const kind of ["pdf", "png", "dicom"]) link(`export-${kind}`, able ? `/api/v1/studies/${detail.id}/${paths[kind]}${query}` : null);
    link("export-csv", radzoo.state.rows.length ? `/api/v1/worklist.csv${query}` : null);
    place("remove").disabled = !detail;
  }

  function link(id, path) {
    const made = place(id);
    if (path) made.setAttribute("href", path);
    else made.removeAttribute("href");
    made.setAttribute("aria-disabled", String(!path));
  }

  async function remove() {
    const detail = radzoo.state.detail;
    if (!detail || !window.confirm(text("remove_sure", { name: detail.name }))) return;
    try {
      await radzoo.fetch(`/api/v1/studies/${detail.id}`, { method: "DELETE" });
      radzoo.viewer.forget(detail.id);
      radzoo.state.selected = null;
      await radzoo.refresh();
    } catch (error) {
      radzoo.complain(error);
    }
  }

  function mount() {
    for (const verdict of VERDICTS) place(`read-${verdict}`).addEventListener("click", () => read(verdict));
    place("note").addEventListener("change", keepNote);
    place("remove").addEventListener("click", remove);
    operating();
  }

  radzoo.panel = { mount, show, read };
})();
