// Gives a document to the buyer: by the phone's own sharing, else as a link that
// is copied. Where the document has no link, its PDF is what is shared.
(function () {
  "use strict";
  var print = document.querySelector("[data-print]");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", function () { window.print(); });
  }
  var root = document.querySelector("[data-share]");
  if (!root) return;
  var button = root.querySelector("[data-share-button]");
  var said = document.querySelector("[data-share-said]");
  var link = root.getAttribute("data-share") || new URL(root.getAttribute("data-pdf"), location.href).href;

  // Browsers without a clipboard for scripts copy what is selected.
  function copySelected() {
    var field = document.createElement("textarea");
    field.value = link;
    field.className = "aside";
    field.setAttribute("readonly", "");
    document.body.appendChild(field);
    field.select();
    var done = document.execCommand("copy");
    document.body.removeChild(field);
    return done;
  }
  function copy() {
    var copied = function () { said.textContent = said.getAttribute("data-copied"); };
    var byHand = function () {
      if (copySelected()) copied();
      else said.textContent = link;
    };
    if (navigator.clipboard && navigator.clipboard.writeText) navigator.clipboard.writeText(link).then(copied, byHand);
    else byHand();
  }
  button.hidden = false;
  button.addEventListener("click", function () {
    if (!navigator.share) {
      copy();
      return;
    }
    navigator.share({ title: root.getAttribute("data-title"), url: link }).catch(function (e) {
      if (e.name !== "AbortError") copy();
    });
  });
})();
