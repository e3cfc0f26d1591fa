// A receipt as it is being typed in: kept on the device at every key, so that a
// reload, an empty battery or a lost network takes nothing. It is judged by the
// till; what is reckoned here is only shown.
(function () {
  "use strict";
  const money = window.till.money;

  function newID() {
    const b = new Uint8Array(16);
    crypto.getRandomValues(b);
    return Array.prototype.map.call(b, function (n) { return ("0" + n.toString(16)).slice(-2); }).join("");
  }

  function fresh() {
    return { id: newID(), lines: [], entry: "", change: { kind: "", value: "" }, pay: "", taken: "", card: "", mobile: "", buyer: "", tried: false };
  }

  // changed is what a discount or markup comes to on a sum: below zero off it,
  // above zero on it; null: what was typed is no number.
  function changed(change, sum) {
    if (!change || !change.kind || change.value === "") { return 0; }
    const percent = change.kind.indexOf("%") > 0;
    const n = percent ? money.percent(change.value) : money.parse(change.value);
    if (n === null) { return null; }
    const by = percent ? money.share(sum, n) : n;
    return change.kind.indexOf("off") === 0 ? -by : by;
  }

  function costOf(line) { return money.cost(line.price, line.quantity); }

  function totalOf(d) {
    let sum = 0;
    d.lines.forEach(function (l) {
      const cost = costOf(l);
      sum += cost + (changed(l.change, cost) || 0);
    });
    const typed = d.entry === "" ? 0 : money.parse(d.entry) || 0;
    sum += typed;
    return sum + (changed(d.change, sum) || 0);
  }

  function put(to, by) {
    if (by < 0) { to.off = money.wire(-by); }
    if (by > 0) { to.on = money.wire(by); }
    return to;
  }

  window.till.draft = {
    fresh: fresh,
    changed: changed,
    cost: costOf,
    total: totalOf,
    load: function (key) {
      try {
        const d = JSON.parse(localStorage.getItem(key) || "null");
        if (d && d.id && Array.isArray(d.lines)) { return Object.assign(fresh(), d); }
      } catch (e) { /* what cannot be read is not there */ }
      return fresh();
    },
    has: function (key) {
      try { return localStorage.getItem(key) !== null; } catch (e) { return false; }
    },
    save: function (key, d) {
      try { localStorage.setItem(key, JSON.stringify(d)); } catch (e) { /* private windows keep nothing */ }
    },
    drop: function (key) {
      try { localStorage.removeItem(key); } catch (e) { /* as above */ }
    },
    // wire is the draft as the till takes it.
    wire: function (d, about) {
      const total = totalOf(d);
      let sum = 0;
      const lines = d.lines.map(function (l) {
        const cost = costOf(l);
        const by = changed(l.change, cost);
        sum += cost + by;
        return put({
          name: l.name, quantity: money.wireQuantity(l.quantity), price: money.wire(l.price), unit: l.unit, section: l.section,
          mark: l.mark, barcode: l.barcode, ntin: l.ntin, code: l.code
        }, by);
      });
      const paid = { chosen: d.pay !== "" };
      if (d.pay === "card" || d.pay === "mobile") { paid[d.pay] = money.wire(total); }
      if (d.pay === "mixed") {
        paid.card = money.wire(money.parse(d.card || "0") || 0);
        paid.mobile = money.wire(money.parse(d.mobile || "0") || 0);
      }
      if (about.taken && (d.pay === "cash" || d.pay === "mixed") && d.taken !== "") { paid.taken = money.wire(money.parse(d.taken) || 0); }
      return put({
        id: d.id, register: about.register, op: about.op, extended: about.extended, parent: about.parent, total: money.wire(total),
        lines: lines, paid: paid, buyer: about.extended ? d.buyer : ""
      }, changed(d.change, sum));
    }
  };
})();
