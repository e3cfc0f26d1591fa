// Amounts and quantities of the till: whole numbers of tiyn and of thousandths,
// never fractions.
(function () {
  "use strict";

  const MAX = 9999999999999; // tiyn: what a register's report can show

  // digits reads "12,5" as a whole number with so many decimals; null: it is none.
  function digits(text, decimals, max) {
    const clean = String(text).replace(/[\s\u00a0\u202f]/g, "").replace(",", ".");
    const m = /^(\d{1,14})(?:\.(\d*))?$/.exec(clean);
    if (!m || (m[2] || "").length > decimals) { return null; }
    const n = Number(m[1] + ((m[2] || "") + "000000").slice(0, decimals));
    return n <= max ? n : null;
  }

  function group(whole) { return whole.replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f"); }

  function pad(n, width) { return ("000000" + n).slice(-width); }

  // scaled is n × share / whole, rounded, without leaving whole numbers.
  function scaled(n, share, whole) {
    const rest = n % whole;
    return (n - rest) / whole * share + Math.round(rest * share / whole);
  }

  window.till = window.till || {};
  window.till.money = {
    max: MAX,
    parse: function (text) { return digits(text, 2, MAX); },
    quantity: function (text) { return digits(text, 3, 999999999999); },
    percent: function (text) { return digits(text, 2, 1000000); }, // hundredths
    wire: function (n) { return Math.floor(n / 100) + "." + pad(n % 100, 2); },
    wireQuantity: function (n) { return n % 1000 ? Math.floor(n / 1000) + "." + pad(n % 1000, 3) : String(n / 1000); },
    // text is an amount as people read it; mark stands before the tiyn.
    text: function (n, mark) {
      const minus = n < 0 ? "\u2212" : "";
      const a = Math.abs(n);
      return minus + group(String(Math.floor(a / 100))) + mark + pad(a % 100, 2);
    },
    quantityText: function (n, mark) {
      return group(String(Math.floor(n / 1000))) + (n % 1000 ? mark + pad(n % 1000, 3).replace(/0+$/, "") : "");
    },
    cost: function (price, quantity) { return scaled(price, quantity, 1000); },
    share: function (n, percent) { return scaled(n, percent, 10000); }
  };
})();
