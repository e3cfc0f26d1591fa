// The page on which receipts are made. Every key is answered here; the till is
// asked for the preliminary receipt and for the receipt itself.
(function () {
  "use strict";
  const root = document.getElementById("sale");
  if (!root) { return; }
  const money = window.till.money;
  const drafts = window.till.draft;
  const words = JSON.parse(root.getAttribute("data-words"));
  const mark = root.getAttribute("data-mark");
  const about = {
    register: Number(root.getAttribute("data-register")), op: root.getAttribute("data-op"),
    parent: Number(root.getAttribute("data-parent") || 0), taken: root.getAttribute("data-taken") === "true", extended: false
  };
  const left = root.getAttribute("data-left") ? money.parse(root.getAttribute("data-left")) : null;
  const MODE = "till.mode";
  const MAX_ENTRY = 14;

  let draft = drafts.fresh();
  let key = "";
  let editing = -1; // the line that the form holds; -1: a new one
  let busy = false;
  let lost = false;

  function $(id) { return document.getElementById(id); }
  function word(name, args) {
    let text = words["till.sale." + name];
    Object.keys(args || {}).forEach(function (k) { text = text.replace("{" + k + "}", args[k]); });
    return text;
  }
  function sum(n) { return money.text(n, mark) + "\u00a0₸"; }
  function show(id, on) { const e = $(id); if (e) { e.hidden = !on; } }
  function keep() { drafts.save(key, draft); }
  function on(id, event, act) { const e = $(id); if (e) { e.addEventListener(event, act); } }

  // ---- what is seen

  function entryText() {
    if (draft.entry === "") { return "0"; }
    const parts = draft.entry.split(".");
    return parts[0].replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f") + (parts.length > 1 ? mark + parts[1] : "");
  }

  function draw() {
    const total = drafts.total(draft);
    $("total").textContent = sum(total);
    if (!about.extended) {
      $("entry").textContent = entryText();
      $("tape").textContent = draft.lines.map(function (l) { return money.text(drafts.cost(l), mark); }).join(" + ") + (draft.lines.length ? " +" : "");
    } else {
      drawLines();
    }
    drawPays(total);
  }

  function drawPays(total) {
    show("cash", draft.pay === "cash" && about.taken || draft.pay === "mixed");
    show("taken-field", about.taken && (draft.pay === "cash" || draft.pay === "mixed"));
    show("mixed", draft.pay === "mixed");
    show("whole-card", draft.pay === "card" || draft.pay === "mobile");
    $("card-sum").textContent = sum(total);
    const rest = cashPart(total);
    $("cash-sum").textContent = rest === null ? "—" : sum(rest);
    const taken = draft.taken === "" ? null : money.parse(draft.taken);
    $("change-due").textContent = taken === null || rest === null ? sum(0) : taken < rest ? "—" : sum(taken - rest);
  }

  function cashPart(total) {
    if (draft.pay === "cash") { return total; }
    if (draft.pay !== "mixed") { return 0; }
    const card = draft.card === "" ? 0 : money.parse(draft.card);
    const mobile = draft.mobile === "" ? 0 : money.parse(draft.mobile);
    return card === null || mobile === null || card + mobile > total ? null : total - card - mobile;
  }

  function drawLines() {
    const list = $("lines");
    list.textContent = "";
    draft.lines.forEach(function (l, i) {
      const cost = drafts.cost(l);
      const by = drafts.changed(l.change, cost) || 0;
      const item = document.createElement("li");
      const edit = document.createElement("button");
      edit.type = "button";
      edit.className = "row goods";
      edit.appendChild(span("name", l.name));
      edit.appendChild(span("reckon", money.quantityText(l.quantity, mark) + " " + unitText(l.unit) + " × " + money.text(l.price, mark) +
        (by ? " " + word(by < 0 ? "off.sign" : "on.sign", { sum: money.text(Math.abs(by), mark) }) : "")));
      edit.appendChild(span("cost", sum(cost + by)));
      edit.addEventListener("click", function () { openItem(i); });
      const drop = document.createElement("button");
      drop.type = "button";
      drop.className = "key";
      drop.textContent = "×";
      drop.setAttribute("aria-label", word("remove", { name: l.name }));
      drop.addEventListener("click", function () {
        draft.lines.splice(i, 1);
        keep();
        draw();
        $("add").focus();
      });
      item.appendChild(edit);
      item.appendChild(drop);
      list.appendChild(item);
    });
    show("no-lines", draft.lines.length === 0);
  }

  function span(kind, text) {
    const s = document.createElement("span");
    s.className = kind;
    s.textContent = text;
    return s;
  }

  function unitText(code) {
    const option = document.querySelector('#item-unit option[value="' + (code || "796") + '"]');
    return option ? option.textContent : "";
  }

  function complain(text, way, label) {
    const box = $("wrong");
    box.hidden = !text;
    box.textContent = text || "";
    if (way) {
      const a = document.createElement("a");
      a.href = way;
      a.className = "key";
      a.textContent = label;
      box.appendChild(document.createElement("br"));
      box.appendChild(a);
    }
    if (text && box.scrollIntoView) { box.scrollIntoView(false); }
  }

  // ---- simple mode: the keypad

  function press(k) {
    complain("");
    const e = draft.entry;
    const point = e.indexOf(".");
    if (/^\d+$/.test(k)) {
      for (let i = 0; i < k.length; i++) {
        const now = draft.entry;
        if (now.indexOf(".") >= 0 && now.length - now.indexOf(".") > 2) { break; }
        const next = now === "0" || now === "" && k[i] === "0" ? k[i] : now + k[i];
        if (next.length <= MAX_ENTRY && (money.parse(next) !== null)) { draft.entry = next; }
      }
    } else if (k === "," && point < 0) {
      draft.entry = (e === "" ? "0" : e) + ".";
    } else if (k === "back") {
      if (e !== "") {
        draft.entry = e.slice(0, -1);
      } else if (draft.lines.length) {
        draft.entry = plain(draft.lines.pop().price); // the last position is taken back to be mended
      }
    } else if (k === "C") {
      if (e !== "") { draft.entry = ""; } else { draft.lines = []; }
    } else if (k === "+" || k === "=") {
      push();
    }
    keep();
    draw();
  }

  function plain(n) {
    return n % 100 ? money.wire(n) : String(n / 100);
  }

  // push makes what was typed a position.
  function push() {
    const n = draft.entry === "" ? 0 : money.parse(draft.entry.replace(/\.$/, ""));
    if (n) { draft.lines.push({ quantity: 1000, price: n }); }
    draft.entry = "";
  }

  document.querySelectorAll("[data-press]").forEach(function (b) {
    b.addEventListener("click", function () { press(b.getAttribute("data-press")); });
  });

  document.addEventListener("keydown", function (e) {
    if (about.extended || $("compose").hidden || e.ctrlKey || e.altKey || e.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName) && e.target.type !== "radio") { return; }
    const named = { Backspace: "back", Delete: "C", Escape: "C", ".": ",", ",": ",", "+": "+", "=": "=" };
    const k = /^[0-9]$/.test(e.key) ? e.key : named[e.key] || (e.key === "Enter" && !/^(BUTTON|A|SUMMARY)$/.test(e.target.tagName) ? "=" : "");
    if (k) {
      e.preventDefault();
      press(k);
    }
  });

  // ---- extended mode: goods

  function openItem(i) {
    editing = i;
    const l = i >= 0 ? draft.lines[i] : { name: "", quantity: 1000, price: 0, unit: "796", section: "", change: {}, mark: "" };
    const form = $("item");
    form.reset();
    $("item-name").value = l.name;
    $("item-quantity").value = money.quantityText(l.quantity, mark).replace(/\u202f/g, "");
    $("item-price").value = l.price ? plain(l.price).replace(".", mark) : "";
    chooseUnit(l.unit || "796");
    $("item-section").value = l.section || "";
    $("item-mark").value = l.mark || "";
    if ($("item-change")) {
      $("item-change").value = (l.change && l.change.kind) || "";
      $("item-change-value").value = (l.change && l.change.value) || "";
      show("item-change-field", $("item-change").value !== "");
    }
    form.setAttribute("data-barcode", l.barcode || "");
    form.setAttribute("data-ntin", l.ntin || "");
    form.setAttribute("data-code", l.code || "");
    form.setAttribute("data-marked", l.marked ? "1" : "");
    ["item-name", "item-quantity", "item-price", "item-mark"].forEach(function (id) { fieldWrong(id, ""); });
    show("item", true);
    show("goods", false);
    show("pay", false);
    $("item-name").focus();
  }

  // chooseUnit sets the unit, also one that is not among the usual ones.
  function chooseUnit(code, text) {
    const select = $("item-unit");
    select.value = code;
    if (select.value !== code) {
      const option = document.createElement("option");
      option.value = code;
      option.textContent = text || "[" + code + "]";
      select.appendChild(option);
      select.value = code;
    }
  }

  function closeItem() {
    show("item", false);
    show("goods", true);
    show("pay", true);
    draw();
    $("add").focus();
  }

  function fieldWrong(id, text) {
    const input = $(id);
    const box = $(id + "-wrong");
    box.hidden = !text;
    box.textContent = text;
    if (text) { input.setAttribute("aria-invalid", "true"); } else { input.removeAttribute("aria-invalid"); }
    return !text;
  }

  on("add", "click", function () { complain(""); openItem(-1); });
  on("item-cancel", "click", closeItem);
  on("item-change", "change", function () { show("item-change-field", $("item-change").value !== ""); });
  on("item", "submit", function (e) {
    e.preventDefault();
    const form = $("item");
    const name = $("item-name").value.trim();
    const quantity = money.quantity($("item-quantity").value);
    const price = money.parse($("item-price").value);
    const marked = form.getAttribute("data-marked") !== "";
    let good = fieldWrong("item-mark", marked && !$("item-mark").value.trim() ? word("mark.missing") : "");
    good = fieldWrong("item-price", price ? "" : word("price.wrong")) && good;
    good = fieldWrong("item-quantity", quantity ? "" : word("quantity.wrong")) && good;
    good = fieldWrong("item-name", name ? "" : word("name.missing")) && good;
    const change = $("item-change") ? { kind: $("item-change").value, value: $("item-change-value").value.trim() } : {};
    if ($("item-change")) {
      good = fieldWrong("item-change-value", change.kind && change.value !== "" && drafts.changed(change, 100) === null ? word("change.wrong") : "") && good;
    }
    if (!good) {
      form.querySelector("[aria-invalid]").focus();
      return;
    }
    const line = {
      name: name, quantity: quantity, price: price, unit: $("item-unit").value, section: $("item-section").value.trim(), change: change,
      mark: $("item-mark").value.trim(), barcode: form.getAttribute("data-barcode") || undefined, ntin: form.getAttribute("data-ntin") || undefined,
      code: Number(form.getAttribute("data-code")) || undefined, marked: marked || undefined
    };
    if (editing >= 0) { draft.lines[editing] = line; } else { draft.lines.push(line); }
    keep();
    closeItem();
  });

  // fill takes goods of the catalog into the form.
  window.till.fill = function (g) {
    const form = $("item");
    $("item-name").value = g.name;
    if (Number(g.price)) { $("item-price").value = g.price.replace(".", mark); }
    if (g.unit) { chooseUnit(g.unit, g.unit_text); }
    $("item-section").value = g.section || "";
    form.setAttribute("data-barcode", g.barcode || "");
    form.setAttribute("data-ntin", g.ntin || "");
    form.setAttribute("data-code", g.code || "");
    form.setAttribute("data-marked", g.needs_mark ? "1" : "");
    $(g.needs_mark ? "item-mark" : "item-quantity").focus();
  };

  function wholeChange() {
    const kind = $("change");
    if (!kind) { return; }
    draft.change = { kind: kind.value, value: $("change-value").value.trim() };
    show("change-field", kind.value !== "");
    keep();
    draw();
  }
  on("change", "change", wholeChange);
  on("change-value", "input", wholeChange);
  on("buyer", "input", function () { draft.buyer = $("buyer").value.trim(); keep(); });
  on("whole", "click", function () {
    draft.lines = [];
    draft.entry = plain(left);
    keep();
    draw();
  });

  // ---- payment

  document.querySelectorAll("input[name=pay]").forEach(function (r) {
    r.addEventListener("change", function () {
      draft.pay = r.value;
      complain("");
      keep();
      draw();
    });
  });
  ["taken", "card", "mobile"].forEach(function (name) {
    on(name, "input", function () {
      draft[name] = $(name).value.trim();
      keep();
      drawPays(drafts.total(draft));
    });
  });

  // check says what is missing before the till is asked.
  function check() {
    if (!about.extended) {
      push();
      keep();
      draw();
    }
    const total = drafts.total(draft);
    if (draft.lines.length === 0 || total <= 0) { return word("empty"); }
    if (draft.change && draft.change.kind && drafts.changed(draft.change, 100) === null) { return word("change.wrong"); }
    if (total > money.max) { return word("too_much"); }
    if (left !== null && total > left) { return word("left.over", { left: sum(left) }); }
    if (!draft.pay) { return word("choose"); }
    if (["taken", "card", "mobile"].some(function (n) { return draft[n] !== "" && money.parse(draft[n]) === null; })) { return word("sum.wrong"); }
    const rest = cashPart(total);
    if (rest === null) { return word("parts"); }
    if (about.taken && (draft.pay === "cash" || draft.pay === "mixed") && draft.taken !== "" && money.parse(draft.taken) < rest) { return word("taken.less"); }
    return "";
  }

  // ask sends the draft; null: nobody answered.
  async function ask(path) {
    const body = JSON.stringify(drafts.wire(draft, about));
    try {
      const answer = await fetch(path, {
        method: "POST", credentials: "same-origin", body: body, headers: { "Content-Type": "application/json", "Accept": "application/json" }
      });
      const said = await answer.text();
      reached();
      return { ok: answer.ok, said: said };
    } catch (e) {
      unreachable();
      return null;
    }
  }

  // told words an answer that is no receipt; true: it leads elsewhere.
  function told(text, say) {
    let said;
    try { said = JSON.parse(text); } catch (e) { said = { what: text }; }
    if (said.go) {
      location.assign(said.go);
      return;
    }
    say(said.what + (said.next ? " " + said.next : ""), said.way, said.label);
  }

  on("next", "click", async function () {
    if (busy) { return; }
    const missing = check();
    complain(missing);
    if (missing) { return; }
    busy = true;
    $("next").disabled = true;
    const got = await ask("/draft/preview");
    if (got === null) {
      complain(word("lost"));
    } else if (got.ok) {
      $("paper").innerHTML = got.said; // of our own templates
      refusal("");
      show("compose", false);
      show("preview", true);
      window.scrollTo(0, 0);
      $("preview").focus();
    } else {
      told(got.said, complain);
    }
    busy = false;
    $("next").disabled = false;
  });

  function refusal(text, way, label) {
    show("refusal", !!text);
    $("refusal-text").textContent = text || "";
    const a = $("refusal-way");
    a.hidden = !way;
    if (way) {
      a.href = way;
      a.textContent = label;
    }
  }

  on("cancel", "click", function () {
    show("preview", false);
    show("compose", true);
    draw();
    $("next").focus();
  });

  // Forming: the draft has one name for its life, so that however often it is
  // asked for, one receipt is made.
  on("form", "click", async function () {
    if (busy) { return; }
    busy = true;
    $("form").disabled = true;
    $("cancel").disabled = true;
    draft.tried = true;
    keep();
    const got = await ask("/draft/form");
    if (got === null) {
      refusal(word("lost.form"));
    } else if (got.ok) {
      drafts.drop(key);
      location.replace(JSON.parse(got.said).go);
      return; // the keys stay disabled until the receipt is there
    } else {
      draft.tried = false;
      keep();
      told(got.said, refusal);
    }
    busy = false;
    $("form").disabled = false;
    $("cancel").disabled = false;
  });

  // ---- how the register is doing

  function standing(s) {
    const box = $("standing");
    box.setAttribute("data-state", s.state);
    $("standing-text").textContent = s.text;
    $("standing-more").textContent = s.more || "";
    const way = $("standing-way");
    way.hidden = !s.way;
    if (s.way) {
      way.href = s.way;
      way.textContent = s.label;
    }
  }

  function unreachable() {
    lost = true;
    standing({ state: "lost", text: word("lost") });
  }
  function reached() {
    if (lost) {
      lost = false;
      look();
    }
  }

  async function look() {
    try {
      const answer = await fetch("/standing", { credentials: "same-origin", headers: { "Accept": "application/json" } });
      const said = await answer.json();
      if (answer.ok) {
        lost = false;
        standing(said);
      } else if (said.go) {
        location.assign(said.go);
      }
    } catch (e) {
      unreachable();
    }
  }

  let ticks = 0;
  setInterval(function () {
    ticks++;
    const calm = !lost && $("standing").getAttribute("data-state") === "online";
    if (!document.hidden && (!calm || ticks % 5 === 0)) { look(); }
  }, 3000);
  window.addEventListener("online", look);
  window.addEventListener("offline", unreachable);
  document.addEventListener("visibilitychange", function () { if (!document.hidden) { look(); } });

  // The menu closes when something else is meant.
  const menu = root.querySelector(".menu");
  document.addEventListener("click", function (e) { if (!menu.contains(e.target)) { menu.open = false; } });
  menu.addEventListener("keydown", function (e) {
    if (e.key === "Escape") {
      e.stopPropagation();
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // ---- the two modes

  function mode(extended) {
    about.extended = extended;
    key = "till.draft." + root.getAttribute("data-key") + (extended ? ".extended" : ".simple");
    draft = drafts.load(key);
    if (extended && root.getAttribute("data-lines") && !drafts.has(key)) { begin(JSON.parse(root.getAttribute("data-lines"))); }
    document.querySelectorAll("[data-mode]").forEach(function (b) {
      b.setAttribute("aria-pressed", String((b.getAttribute("data-mode") === "extended") === extended));
    });
    show("simple", !extended);
    show("extended", extended);
    show("item", false);
    show("goods", true);
    show("pay", true);
    document.querySelectorAll("input[name=pay]").forEach(function (r) { r.checked = r.value === draft.pay; });
    ["taken", "card", "mobile"].forEach(function (n) { $(n).value = draft[n]; });
    if ($("buyer")) { $("buyer").value = draft.buyer; }
    if ($("change")) {
      $("change").value = draft.change.kind;
      $("change-value").value = draft.change.value;
      show("change-field", draft.change.kind !== "");
    }
    complain(draft.tried ? word("lost.form") : "");
    draw();
  }

  // begin fills a draft with the lines of the receipt that is returned.
  function begin(sold) {
    function change(of) {
      if (of.off) { return { kind: "off", value: of.off }; }
      return of.on ? { kind: "on", value: of.on } : { kind: "", value: "" };
    }
    draft.lines = (sold.lines || []).map(function (l) {
      return { name: l.name, quantity: money.quantity(l.quantity), price: money.parse(l.price), unit: l.unit, section: l.section, change: change(l), mark: l.mark, barcode: l.barcode, ntin: l.ntin, code: l.code };
    });
    draft.change = change(sold);
  }

  document.querySelectorAll("[data-mode]").forEach(function (b) {
    b.addEventListener("click", function () {
      try { localStorage.setItem(MODE, b.getAttribute("data-mode")); } catch (e) { /* private windows keep nothing */ }
      mode(b.getAttribute("data-mode") === "extended");
    });
  });

  let first = root.getAttribute("data-extended") === "true";
  try {
    const chosen = localStorage.getItem(MODE);
    if (chosen) { first = chosen === "extended"; }
  } catch (e) { /* as set */ }
  mode(first);
  root.setAttribute("data-ready", "true");
  if (navigator.onLine === false) { unreachable(); }
  look();
})();
