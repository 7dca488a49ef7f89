/* The worklist: an AG Grid that shows what it is given and says what was chosen. */
(function () {
  "use strict";
  const radzoo = (window.radzoo = window.radzoo || {});
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const h = (...given) => window.React.createElement(...given);
  const icon = (name) => h("span", { className: `icon icon-${name}`, "aria-hidden": true });

  /* How a probability lies to the threshold: above it, or not. */
  radzoo.level = (probability) => (probability >= radzoo.state.threshold ? "above" : "below");

  const cap = (name, most = 60) => (name.length > most ? `${name.slice(0, most)}…` : name);

  cells.Film = ({ data }) =>
    h("div", { className: "cell-film" },
      data.state === "done"
        ? h("img", { src: `/api/v1/studies/${data.id}/thumbnail`, alt: "", width: 44, height: 44, loading: "lazy" })
        : h("span", { className: "no-picture" }, icon(data.state === "waiting" ? "clock" : "alert")),
      h("div", null, h("div", { className: "name", title: data.name }, cap(data.name)),
        h("div", { className: "under" }, data.columns ? `${data.kind} · ${data.columns} × ${data.rows}` : radzoo.text(`state_${data.state}`))));

  cells.Probability = ({ data }) => {
    if (data.withheld) return h("div", { className: "cell-share withheld", title: radzoo.text("hidden") }, icon("eye-off"), radzoo.text("state_withheld"));
    if (data.probability === null) return h("div", { className: "cell-share" }, "–");
    const level = radzoo.level(data.probability), threshold = `${100 * radzoo.state.threshold}%`;
    return h("div", { className: `cell-share ${level}` },
      h("strong", null, radzoo.probability(data.probability)),
      h("span", { className: "track", "aria-hidden": true },
        h("i", { style: { width: `${100 * data.probability}%` } }), h("b", { style: { left: threshold } })),
      h("span", { className: "word" }, data.unlike ? icon("alert") : null, radzoo.text(`${level}_short`)));
  };

  const VERDICTS = { finding: "flag", no_finding: "circle-check", uncertain: "help" };
  cells.Verdict = ({ data }) => {
    const word = data.verdict ? radzoo.text(data.verdict) : radzoo.text("unread_one");
    return h("span", { className: `cell-verdict ${data.verdict || "none"}`, role: "img", "aria-label": word, title: word },
      icon(VERDICTS[data.verdict] || "circle-dashed"));
  };

  const grid = () => {
    try { return window.dash_ag_grid.getApi("grid"); } catch { return null; } // not there yet
  };

  /* Resolves when the grid is there. */
  const ready = () => new Promise((resolve) => {
    const look = () => (grid() ? resolve() : window.setTimeout(look, 30));
    look();
  });

  const FILTERS = {
    all: () => true,
    above: (row) => row.probability !== null && row.probability >= radzoo.state.threshold,
    below: (row) => row.probability !== null && row.probability < radzoo.state.threshold,
    unread: (row) => !row.verdict && row.state === "done",
  };

  function show(rows) {
    const api = grid(), withheld = rows.some((row) => row.withheld);
    api.setGridOption("rowData", rows);
    api.refreshCells({ force: true }); // a cell shows more of its row than its own value
    api.setGridOption("isExternalFilterPresent", () => radzoo.state.filter !== "all");
    api.setGridOption("doesExternalFilterPass", (node) => FILTERS[radzoo.state.filter](node.data));
    // where a film is withheld its place must not tell: rows stay as they came
    const order = withheld ? [] : [{ colId: "probability", sort: "desc" }];
    if (sortedFor !== withheld) api.applyColumnState({ state: order, defaultState: { sort: null } });
    sortedFor = withheld;
    count();
  }
  let sortedFor = null;

  function filter() {
    if (!grid()) return;
    grid().onFilterChanged();
    count();
  }

  function paint() {
    const api = grid();
    if (!api) return;
    api.refreshCells({ force: true, columns: ["probability"] });
    if (["above", "below"].includes(radzoo.state.filter)) api.onFilterChanged();
    count();
  }

  function count() {
    const rows = radzoo.state.rows, values = {
      all: rows.length, above: rows.filter(FILTERS.above).length, unread: rows.filter(FILTERS.unread).length,
      refused: rows.filter((row) => row.state === "refused").length,
    };
    document.getElementById("worklist-count").textContent =
      radzoo.text(rows.some((row) => row.withheld) ? "count_withheld" : "count", values);
  }

  const inOrder = () => {
    const nodes = [];
    grid().forEachNodeAfterFilterAndSort((node) => nodes.push(node));
    return nodes;
  };

  function select(id) {
    const node = id && grid().getRowNode(id);
    if (!node) return;
    // by its property, for Dash would undo what it was not told of
    window.dash_clientside.set_props("grid", { selectedRows: { ids: [id] } });
    grid().ensureNodeVisible(node);
  }

  function step(by) {
    const nodes = inOrder(), at = nodes.findIndex((node) => node.data.id === radzoo.state.selected);
    const next = nodes[Math.max(0, Math.min(nodes.length - 1, at + by))];
    if (next) radzoo.select(next.data.id).catch(radzoo.complain);
  }

  radzoo.worklist = { ready, show, filter, paint, select, step };
})();
