// Has the device make or show a passkey, and sends its answer in the form. The
// server says what to ask the device for; nothing is decided here.
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((k) => ({ ...k, id: bytes(k.id) }));

  async function make(o) {
    const key = await navigator.credentials.create({ publicKey: {
      ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: named(o.excludeCredentials) } });
    return { key, response: {
      attestationObject: text(key.response.attestationObject), transports: key.response.getTransports?.() } };
  }

  async function show(o) {
    const key = await navigator.credentials.get({ publicKey: { ...o, challenge: bytes(o.challenge), allowCredentials: named(o.allowCredentials) } });
    return { key, response: {
      authenticatorData: text(key.response.authenticatorData), signature: text(key.response.signature), userHandle: text(key.response.userHandle) } };
  }

  async function ask(url) {
    const said = await fetch(url, { headers: { Accept: "application/json" } });
    if (!said.ok) throw new Error(said.status);
    const o = (await said.json()).publicKey;
    const { key, response } = await (o.user ? make(o) : show(o));
    response.clientDataJSON = text(key.response.clientDataJSON);
    return JSON.stringify({ id: key.id, rawId: text(key.rawId), type: key.type, authenticatorAttachment: key.authenticatorAttachment || undefined,
      clientExtensionResults: key.getClientExtensionResults(), response });
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) {
      for (const p of document.querySelectorAll("[data-unsupported]")) p.hidden = false;
      continue;
    }
    form.hidden = false;
    const failed = form.querySelector("[data-failed]");
    const button = form.querySelector("button[type=submit]");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      failed.hidden = true;
      button.disabled = true;
      try {
        form.elements.answer.value = await ask(form.dataset.passkey);
        form.submit();
      } catch {
        failed.hidden = false;
      }
      button.disabled = false;
    });
  }
})();
