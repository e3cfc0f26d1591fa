// Signs a text of ours with a person's key: by a key file that never leaves the
// browser, by NCALayer, or by CryptoPro's extension. What comes of it is sent in
// the form that also takes a ready file of a signature; the server judges both.
(() => {
  const root = document.querySelector("[data-sign]");
  if (!root) return;
  const { content, forge: library, ncalayer } = root.dataset;
  const form = root.querySelector("form[data-signed]");
  const said = root.querySelector("[data-said]");

  // A failure that there are words for.
  class Failure extends Error {}
  const fail = (word) => { throw new Failure(word); };
  const within = (promise, ms, word) => Promise.race([promise, new Promise((_, no) => setTimeout(() => no(new Failure(word)), ms))]);

  const say = (word, detail) => {
    const words = root.querySelector(`[data-words="${word}"]`) || root.querySelector("[data-words=failed]");
    said.querySelector("[data-text]").textContent = words.textContent + (detail ? ` (${detail})` : "");
    said.hidden = false;
    said.scrollIntoView({ block: "nearest" });
  };

  const toBase64 = (bytes) => {
    let s = "";
    for (const b of bytes) s += String.fromCharCode(b);
    return btoa(s);
  };
  // Bridges wrap what they give: PEM's lines, or those of a letter.
  const plain = (text) => String(text).replace(/-----[^-]+-----/g, "").replace(/\s+/g, "");

  // The exact bytes that are signed, as anybody can download them.
  const text = async () => {
    const answer = await fetch(content, { cache: "no-store" });
    if (!answer.ok) fail("failed");
    return new Uint8Array(await answer.arrayBuffer());
  };

  const script = (src) => new Promise((yes, no) => {
    const s = document.createElement("script");
    s.src = src;
    s.onload = yes;
    s.onerror = no;
    document.head.append(s);
  });

  // A key file (PKCS#12). The library opens the file; the browser signs.
  async function byFile(file, password) {
    if (!file) fail("nofile");
    if (file.size > 256 << 10) fail("notkey");
    if (!window.crypto || !window.crypto.subtle) fail("insecure");
    if (!window.forge) await script(library);
    const bytes = new Uint8Array(await new Response(file).arrayBuffer());
    const { key, certificate, others } = open(String.fromCharCode(...bytes), password);
    const document = await text();
    return message(document, key, certificate, others);
  }

  // Opens a key file; names what is wrong with it.
  function open(bytes, password) {
    let pfx, asn;
    try {
      asn = forge.asn1.fromDer(bytes);
    } catch {
      fail("notkey");
    }
    try {
      pfx = forge.pkcs12.pkcs12FromAsn1(asn, false, password);
    } catch (e) {
      if (/password|MAC could not/i.test(e.message)) fail("password");
      fail(/unsupported|unknown|OID/i.test(e.message) ? "gost" : "notkey");
    }
    const bags = [].concat(...pfx.safeContents.map((c) => c.safeBags));
    const { keyBag, pkcs8ShroudedKeyBag, certBag } = forge.pki.oids;
    const keys = bags.filter((b) => b.type === keyBag || b.type === pkcs8ShroudedKeyBag);
    const certificates = bags.filter((b) => b.type === certBag && b.cert).map((b) => b.cert);
    const key = (keys.find((b) => b.key) || {}).key;
    if (!key) fail(keys.length ? "gost" : "notkey");
    const certificate = certificates.find((c) => c.publicKey.n.equals(key.n));
    if (!certificate) fail("notkey");
    return { key, certificate, others: certificates.filter((c) => c !== certificate) };
  }

  // A detached CMS with signed attributes. Source: RFC 5652 §5.
  async function message(document, key, certificate, others) {
    const { asn1, pki, util } = forge;
    const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class;
    const { SEQUENCE, SET, OID, INTEGER, OCTETSTRING, NULL } = asn1.Type;
    const of = (type, value) => asn1.create(UNIVERSAL, type, Array.isArray(value), value);
    const oid = (name) => of(OID, asn1.oidToDer(pki.oids[name]).getBytes());
    const der = (value) => asn1.toDer(value).getBytes();
    const raw = (s) => Uint8Array.from(s, (c) => c.charCodeAt(0));
    const str = (buffer) => util.binary.raw.encode(new Uint8Array(buffer));
    const algorithm = (name) => of(SEQUENCE, [oid(name), of(NULL, "")]);
    const attribute = (name, value) => of(SEQUENCE, [oid(name), of(SET, [value])]);

    const now = new Date();
    const year = now.getUTCFullYear();
    const time = year >= 1950 && year < 2050 ? of(asn1.Type.UTCTIME, asn1.dateToUtcTime(now)) : of(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(now));
    const attributes = [
      attribute("contentType", oid("data")),
      attribute("signingTime", time),
      attribute("messageDigest", of(OCTETSTRING, str(await crypto.subtle.digest("SHA-256", document)))),
    ].sort((a, b) => (der(a) < der(b) ? -1 : 1)); // DER has the elements of a set in order

    const pkcs8 = raw(der(pki.wrapRsaPrivateKey(pki.privateKeyToAsn1(key))));
    const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const hand = await crypto.subtle.importKey("pkcs8", pkcs8, rsa, false, ["sign"]);
    pkcs8.fill(0);
    const value = await crypto.subtle.sign(rsa.name, hand, raw(der(of(SET, attributes))));

    const own = pki.certificateToAsn1(certificate);
    const body = own.value[0].value;
    const first = body[0].tagClass === CONTEXT_SPECIFIC ? 1 : 0; // after the version: serial number, algorithm, issuer
    const signer = of(SEQUENCE, [
      of(INTEGER, asn1.integerToDer(1).getBytes()),
      of(SEQUENCE, [body[first + 2], body[first]]),
      algorithm("sha256"),
      asn1.create(CONTEXT_SPECIFIC, 0, true, attributes),
      algorithm("rsaEncryption"),
      of(OCTETSTRING, str(value)),
    ]);
    const data = of(SEQUENCE, [
      of(INTEGER, asn1.integerToDer(1).getBytes()),
      of(SET, [algorithm("sha256")]),
      of(SEQUENCE, [oid("data")]),
      asn1.create(CONTEXT_SPECIFIC, 0, true, [own, ...others.map(pki.certificateToAsn1)]),
      of(SET, [signer]),
    ]);
    return btoa(der(of(SEQUENCE, [oid("signedData"), asn1.create(CONTEXT_SPECIFIC, 0, true, [data])])));
  }

  // NCALayer, Kazakhstan's program for signing: a WebSocket on this computer.
  // Older ones know commonUtils, newer ones basics; both ask for the key.
  async function byNCALayer() {
    const document = toBase64(await text());
    const socket = new WebSocket(ncalayer);
    const answers = [], waiting = [];
    socket.onmessage = ({ data }) => {
      let answer;
      try {
        answer = JSON.parse(data);
      } catch {
        return; // a heartbeat
      }
      if (!answer || answer.result && answer.result.version || !("code" in answer || "status" in answer || "responseObject" in answer)) return; // its greeting
      if (waiting.length) waiting.shift()(answer);
      else answers.push(answer);
    };
    const gone = new Promise((_, no) => { socket.onclose = socket.onerror = () => no(new Failure("ncalayer")); });
    gone.catch(() => {});
    const ask = async (request) => {
      socket.send(JSON.stringify(request));
      const answer = answers.length ? answers.shift() : new Promise((yes) => waiting.push(yes));
      return within(Promise.race([answer, gone]), 5 * 60000, "late");
    };
    try {
      await within(Promise.race([new Promise((yes) => { socket.onopen = yes; }), gone]), 5000, "ncalayer");
      let a = await ask({ module: "kz.gov.pki.knca.commonUtils", method: "createCAdESFromBase64", args: ["PKCS12", "SIGNATURE", document, false] });
      if (String(a.code) === "200" && a.responseObject) return plain(a.responseObject);
      if (/cancel/i.test(`${a.code} ${a.message}`)) fail("canceled");
      a = await ask({ module: "kz.gov.pki.knca.basics", method: "sign", args: {
        allowedStorages: ["PKCS12"], format: "cms", data: document, signingParams: { decode: "true", encapsulate: "false", digested: "false" },
        signerParams: { extKeyUsageOids: [], chain: null }, locale: root.dataset.lang } });
      const result = (a.body && a.body.result) || a.responseObject;
      if (a.status === true && result) return plain([].concat(result)[0]);
      if (/cancel/i.test(`${a.code} ${a.message}`) || a.status === true) fail("canceled");
      throw Object.assign(new Failure("failed"), { detail: a.message || a.code });
    } finally {
      socket.onclose = socket.onerror = null;
      socket.close();
    }
  }

  // CryptoPro's extension: its script puts cpcsp_chrome_nmcades into the page.
  let plugin;
  async function cryptoPro() {
    if (plugin) return plugin;
    const loaded = new Promise((yes) => addEventListener("message", function heard({ data, source }) {
      if (source !== window || typeof data !== "string" || !data.startsWith("cadesplugin_loaded")) return;
      removeEventListener("message", heard);
      const at = data.indexOf("url:"); // Firefox tells where its script is
      yes(at < 0 ? "" : data.slice(at + 4));
    }));
    if (!window.cpcsp_chrome_nmcades && window.chrome) {
      for (const id of root.dataset.cryptopro.split(" ")) {
        if (await script(`${id}/nmcades_plugin_api.js`).then(() => true, () => false)) break;
      }
    }
    postMessage("cadesplugin_echo_request", location.origin);
    const url = await within(loaded, 3000, "cryptopro");
    if (!window.cpcsp_chrome_nmcades && url) await script(url).catch(() => fail("cryptopro"));
    const api = window.cpcsp_chrome_nmcades || fail("cryptopro");
    await within(new Promise((yes, no) => api.check_chrome_plugin(yes, () => no(new Failure("cryptopro")))), 10000, "cryptopro");
    plugin = await within(api.CreatePluginObject(), 10000, "cryptopro");
    return plugin;
  }

  // The person's certificates with which something can be signed today.
  let certificates = [];
  async function showCertificates() {
    const api = await cryptoPro();
    const store = await api.CreateObjectAsync("CAdESCOM.Store");
    await store.Open(2, "My", 2); // of the current user, whatever may be read
    const valid = await (await store.Certificates).Find(9); // by time
    certificates = [];
    const select = root.querySelector("[data-certificates] select");
    select.replaceChildren();
    for (let i = 1, n = await valid.Count; i <= n; i++) {
      const one = await valid.Item(i);
      if (!await one.HasPrivateKey()) continue;
      select.add(new Option(name(await one.SubjectName), String(certificates.length)));
      certificates.push(one);
    }
    await store.Close();
    if (!certificates.length) fail("nocertificate");
    root.querySelector("[data-certificates]").hidden = false;
    select.focus();
  }
  const name = (subject) => ((/(?:^|,\s*)CN=("(?:[^"]|"")*"|[^,]*)/.exec(subject) || [])[1] || subject).replace(/^"|"$/g, "").replace(/""/g, '"');

  async function byCryptoPro() {
    const api = await cryptoPro();
    const signer = await api.CreateObjectAsync("CAdESCOM.CPSigner");
    await signer.propset_Certificate(certificates[root.querySelector("[data-certificates] select").value]);
    await signer.propset_Options(1); // the whole chain
    const data = await api.CreateObjectAsync("CAdESCOM.CadesSignedData");
    await data.propset_ContentEncoding(1); // what comes is base64 of bytes
    await data.propset_Content(toBase64(await text()));
    try {
      return plain(await within(data.SignCades(signer, 1, true), 5 * 60000, "late")); // CAdES-BES, detached
    } catch (e) {
      if (e instanceof Failure) throw e;
      if (/0x8010006E|cancel|отмен/i.test(e.message)) fail("canceled");
      throw Object.assign(new Failure("failed"), { detail: e.message });
    }
  }

  let busy = false;
  // One signature at a time; what comes of it is sent.
  async function run(button, way, send = true) {
    if (busy) return;
    busy = true;
    said.hidden = true;
    button.classList.add("btn-loading");
    try {
      const signature = await way();
      if (send) {
        form.elements.file.value = signature;
        form.submit();
      }
    } catch (e) {
      say(e instanceof Failure ? e.message : "failed", e.detail);
    }
    button.classList.remove("btn-loading");
    busy = false;
  }

  for (const e of root.querySelectorAll("[data-scripted]")) e.hidden = false;
  const key = root.querySelector("form[data-key]");
  key.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const [file, password] = key.querySelectorAll("input");
    run(key.querySelector("button"), () => byFile(file.files[0], password.value).then((s) => { password.value = ""; return s; }));
  });
  const on = (selector, way, send) => {
    const button = root.querySelector(selector); // not there for texts of another country
    if (button) button.addEventListener("click", () => run(button, way, send));
  };
  on("[data-by=ncalayer]", byNCALayer);
  on("[data-by=cryptopro]", showCertificates, false);
  on("[data-by=certificate]", byCryptoPro);
})();
