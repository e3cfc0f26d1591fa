// A form whose act leaves a document is sent once: a second tap finds its key
// disabled. Without this file the draft's name sees to it.
(function () {
  "use strict";
  document.querySelectorAll("form[data-once]").forEach(function (form) {
    form.addEventListener("submit", function () {
      setTimeout(function () {
        form.querySelectorAll("button").forEach(function (b) { b.disabled = true; });
      }, 0);
    });
  });
  window.addEventListener("pageshow", function () { // back by the browser's own key
    document.querySelectorAll("form[data-once] button").forEach(function (b) { b.disabled = b.hasAttribute("data-shut"); });
  });
})();
