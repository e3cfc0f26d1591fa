// The form of a register: proposes models while somebody types, and shows the
// fields of its link where they apply. Without it all fields stand there.
(() => {
  const form = document.querySelector("form[data-device]");
  const { model, connection, sim } = form?.elements || {};
  const row = (input) => input?.closest(".field");
  const known = new Map(); // what was proposed, by name

  function fit() {
    if (!connection) return;
    const links = known.get(model?.value.trim())?.connections;
    for (const option of connection.options) option.disabled = Boolean(option.value && links?.length && !links.includes(option.value));
    if (links?.length === 1) connection.value = links[0];
    row(connection).hidden = links?.length === 1 && !connection.classList.contains("is-invalid");
    if (row(sim)) row(sim).hidden = connection.value !== "wireless" && !sim.classList.contains("is-invalid");
  }

  let asked = 0, wait;
  async function propose() {
    const mine = ++asked;
    const answer = await fetch(`/registers/models?q=${encodeURIComponent(model.value)}`).catch(() => null);
    if (!answer?.ok || mine !== asked) return;
    const all = await answer.json();
    for (const m of all) known.set(m.name, m);
    const options = all.map((m) => new Option(m.maker, m.name));
    if (model.list) model.list.replaceChildren(...options);
    fit();
  }

  connection?.addEventListener("change", fit);
  if (model?.list) {
    model.addEventListener("input", () => {
      fit();
      clearTimeout(wait);
      wait = setTimeout(propose, 150);
    });
  }
  if (model?.value) propose();
  fit();
})();
