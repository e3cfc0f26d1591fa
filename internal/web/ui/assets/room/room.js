// What rooms do before and beside the server's pages. Everything works without.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => root.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  dark.addEventListener("change", paint);
  paint();
  root.classList.add("js");

  // A form is sent once: a second tap on a slow link must not do it twice.
  addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) return event.preventDefault();
    const ask = event.submitter?.dataset.ask || form.dataset.ask;
    if (ask && !confirm(ask)) return event.preventDefault();
    if (form.method === "post") {
      form.dataset.sent = "1";
      for (const b of form.querySelectorAll("button[type=submit]")) b.classList.add("btn-loading");
    }
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      for (const b of form.querySelectorAll(".btn-loading")) b.classList.remove("btn-loading");
    }
  });

  addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) print();
  });

  addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (!copy) return;
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.classList.add("copied");
  });

  // Several rows at once: one box for all of them, and the choice that goes with
  // what is to be done.
  addEventListener("DOMContentLoaded", () => {
    for (const form of document.querySelectorAll("form[data-bulk]")) {
      const all = form.querySelector("[data-all]");
      all?.addEventListener("change", () => { for (const box of form.querySelectorAll("td input[type=checkbox]")) box.checked = all.checked; });
      const what = form.elements.what;
      const fit = () => { for (const e of form.querySelectorAll("[data-for]")) e.hidden = e.dataset.for !== what.value; };
      what?.addEventListener("change", fit);
      if (what) fit();
    }
    document.querySelector("form[data-go]")?.requestSubmit(); // a long work goes on by itself
  });

  // A line that is pushed along begins at what is chosen.
  addEventListener("DOMContentLoaded", () => {
    for (const line of document.querySelectorAll(".choose")) {
      const chosen = line.querySelector("[aria-current]");
      if (chosen) line.scrollLeft = chosen.offsetLeft - line.offsetLeft - (line.clientWidth - chosen.offsetWidth) / 2;
    }
  });

  // Where an error is, there the eye should be.
  addEventListener("DOMContentLoaded", () => document.querySelector("[aria-invalid=true]")?.focus());
})();
