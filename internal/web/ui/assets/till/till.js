// What every page of the till does beside being read: it keeps itself for when
// there is no network, copies what is to be copied, and saves settings as they
// are changed. Each page works without it.
(function () {
  "use strict";

  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("/sw.js").catch(function () { /* the page works without */ });
  }

  // copy puts a text on the clipboard; browsers of 2018 know only the old way.
  function copy(text) {
    var area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.className = "aside";
    document.body.appendChild(area);
    area.select();
    area.setSelectionRange(0, text.length);
    var done = document.execCommand("copy");
    document.body.removeChild(area);
    return done;
  }

  document.querySelectorAll("[data-copy]").forEach(function (key) {
    key.hidden = false;
    key.addEventListener("click", function () {
      if (copy(key.getAttribute("data-copy"))) {
        say(key.getAttribute("data-done"));
      }
      key.focus();
    });
  });

  // say tells something to eyes and ears alike.
  function say(text) {
    var said = document.getElementById("said");
    if (said) { said.textContent = text; }
  }

  // blame puts words beside a field, or takes them away.
  function blame(input, text) {
    var id = "wrong-" + input.name;
    var words = document.getElementById(id);
    if (!text) {
      input.removeAttribute("aria-invalid");
      if (words) { words.parentNode.removeChild(words); }
      return;
    }
    if (!words) {
      words = document.createElement("p");
      words.id = id;
      words.className = "wrong";
      words.setAttribute("role", "alert");
      input.parentNode.appendChild(words);
    }
    words.textContent = text;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", id);
  }

  document.querySelectorAll("form[data-autosave]").forEach(function (form) {
    var waiting = Promise.resolve(); // one change after the other, in their order
    async function save(input) {
      var fields = new URLSearchParams();
      Array.prototype.forEach.call(form.elements, function (e) {
        if (e.name && (e.type !== "checkbox" || e.checked)) { fields.append(e.name, e.value); }
      });
      fields.append("only", input.name);
      say(form.getAttribute("data-saving"));
      try {
        var answer = await fetch(form.action, {
          method: "POST", body: fields.toString(), credentials: "same-origin",
          headers: { "Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded" }
        });
        var said = await answer.json();
        if (said.go) {
          location.assign(said.go);
          return;
        }
        Array.prototype.forEach.call(form.elements, function (e) {
          if (e.name && (e.name === input.name || e.name === said.field)) { blame(e, e.name === said.field ? said.what : ""); }
        });
        say(answer.ok ? form.getAttribute("data-saved") : "");
      } catch (e) {
        say(form.getAttribute("data-lost"));
      }
    }
    form.addEventListener("change", function (event) {
      if (event.target.name) {
        waiting = waiting.then(function () { return save(event.target); });
      }
    });
    form.querySelectorAll("[data-without-script]").forEach(function (e) { e.hidden = true; });
  });
})();
