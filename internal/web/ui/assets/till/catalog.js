// Goods are offered while their name or barcode is typed.
(function () {
  "use strict";
  const name = document.getElementById("item-name");
  const list = document.getElementById("found");
  if (!name || !list) { return; }
  let last = 0;
  let timer = null;

  function offer(all) {
    list.textContent = "";
    all.forEach(function (g) {
      const item = document.createElement("li");
      const key = document.createElement("button");
      key.type = "button";
      key.className = "row";
      const title = document.createElement("strong");
      title.textContent = g.name;
      const price = document.createElement("span");
      price.className = "muted";
      price.textContent = g.text;
      key.appendChild(title);
      key.appendChild(price);
      key.addEventListener("click", function () {
        list.textContent = "";
        window.till.fill(g);
      });
      item.appendChild(key);
      list.appendChild(item);
    });
  }

  async function find(text) {
    const mine = ++last;
    let all = [];
    if (text.length > 1) {
      try {
        const answer = await fetch("/draft/goods?q=" + encodeURIComponent(text), { credentials: "same-origin", headers: { "Accept": "application/json" } });
        if (answer.ok) { all = await answer.json(); }
      } catch (e) { /* without a network they are typed in */ }
    }
    if (mine === last) { offer(all); }
    return mine === last ? all : [];
  }

  name.addEventListener("input", function () {
    clearTimeout(timer);
    timer = setTimeout(function () { find(name.value.trim()); }, 150);
  });
  document.getElementById("item").addEventListener("submit", function () {
    last++;
    list.textContent = "";
  });

  // lookup takes what a camera has read: the goods are filled in if they are known.
  window.till.lookup = async function (code) {
    const all = await find(code);
    if (all.length === 1) {
      list.textContent = "";
      window.till.fill(all[0]);
    }
  };
})();
