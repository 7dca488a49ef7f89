/* Loading films: one request a file, two at a time, each with its own progress and its own reason.
   When the server says that it is too much at once, all wait as long as it says, and go on. */
(function () {
  "use strict";
  const radzoo = (window.radzoo = window.radzoo || {});
  const AT_ONCE = 2, LISTED = 60, TRIES = 6, LOST_S = 2; // in all a minute: a 429 may look like a lost connection
  const AWAY = [502, 503, 504]; // a proxy says so while the server is begun again
  const SIGN_IN_S = 10; // the session is over: what waits goes on when its reader has signed in, in another tab
  let waiting = [], running = 0, done = 0, all = 0, failed = 0, newest = null, pause = null;

  /* Dash has no file input that takes files of any size: it reads them into a property. */
  function mount() {
    const input = Object.assign(document.createElement("input"), { type: "file", id: "files", multiple: true, className: "unseen" });
    input.accept = ".png,.jpg,.jpeg,.dcm,.dicom,image/png,image/jpeg,application/dicom";
    document.getElementById("files-here").appendChild(input);
    input.addEventListener("change", () => { add([...input.files]); input.value = ""; });
    for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, onDrag);
    window.addEventListener("beforeunload", (event) => { if (running || waiting.length) event.preventDefault(); });
  }

  function onDrag(event) {
    if (!event.dataTransfer || ![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("dragging", event.type === "dragover");
    if (event.type === "drop") add([...event.dataTransfer.files]);
  }

  function add(files) {
    if (!running && !waiting.length) {
      [done, all, failed, newest] = [0, 0, 0, null];
      list().replaceChildren();
    }
    all += files.length;
    waiting.push(...files.map((file) => ({ file, line: null })));
    waiting.slice(0, LISTED).forEach((one) => { one.line = one.line || line(one.file.name); });
    tell();
    for (let i = 0; i < AT_ONCE; i++) next();
  }

  const list = () => document.getElementById("uploads");

  function line(name) {
    const made = document.createElement("li");
    const label = made.appendChild(document.createElement("span"));
    label.className = "file";
    label.textContent = name;
    label.title = name;
    const bar = made.appendChild(document.createElement("progress"));
    Object.assign(bar, { max: 1, value: 0 });
    bar.setAttribute("aria-label", name);
    made.appendChild(document.createElement("span")).className = "why";
    list().appendChild(made);
    return made;
  }

  async function next() {
    if (running >= AT_ONCE || !waiting.length || pause) return;
    running++;
    const one = waiting.shift();
    try {
      const told = await send(one);
      if (told.refusal) refuse(one, told.refusal);
      else if (one.line) one.line.remove();
      newest = newest || told.id;
    } catch (error) {
      if (error.seconds) return later(one, error);
      refuse(one, error.message);
    }
    running--;
    done++;
    tell();
    if (done === all || done % 10 === 0) await radzoo.refresh(done === all ? newest : null).catch(radzoo.complain);
    next();
  }

  function later(one, { seconds, told }) {
    running--;
    waiting.unshift(one);
    if (one.line) one.line.querySelector("progress").value = 0;
    pause = pause || window.setTimeout(() => {
      pause = null;
      tell();
      for (let i = 0; i < AT_ONCE; i++) next();
    }, 1000 * seconds);
    place().textContent = told || radzoo.text("upload_waits", { done, all, seconds });
  }

  function refuse(one, why) {
    failed++;
    one.line = one.line || line(one.file.name);
    one.line.classList.add("failed");
    one.line.querySelector("progress").remove();
    one.line.querySelector(".why").textContent = why;
  }

  /* XMLHttpRequest, for fetch() tells nothing of how much has been sent. */
  function send(one) {
    const { file, line: shown } = one;
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest(), form = new FormData();
      form.append("file", file, file.name);
      request.open("POST", `/api/v1/studies?model=${radzoo.boot.model}`);
      request.responseType = "json";
      request.setRequestHeader("X-CSRFToken", radzoo.csrf());
      request.setRequestHeader("Accept", "application/json");
      request.upload.onprogress = (event) => {
        if (shown) shown.querySelector("progress").value = (0.9 * event.loaded) / event.total;
      };
      request.onerror = () => {
        one.lost = (one.lost || 0) + 1;
        reject(Object.assign(new Error(radzoo.text("upload_lost")), { seconds: one.lost < TRIES && LOST_S ** one.lost }));
      };
      request.onload = () => {
        if (AWAY.includes(request.status)) return request.onerror();
        const told = request.response;
        const why = told && told.error ? told.error.message : radzoo.text("failed", { status: request.status });
        if (request.status === 401) return reject(Object.assign(new Error(why), { seconds: SIGN_IN_S, told: why }));
        const seconds = request.status === 429 && Number(request.getResponseHeader("Retry-After"));
        if (request.status < 300) resolve(told);
        else reject(Object.assign(new Error(why), { seconds }));
      };
      request.send(form);
    });
  }

  const place = () => document.getElementById("upload-state");

  function tell() {
    const values = { done, all, failed };
    place().textContent = all ? radzoo.text(failed ? "upload_some" : "upload_done", values) : radzoo.text("upload_kinds");
  }

  radzoo.upload = { mount, add };
})();
