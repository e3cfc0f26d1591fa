// Gives a document to the buyer: by the phone's own sharing, else as a link that
// is copied. A document without a link is shared as its PDF.
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
  var link = root.getAttribute("data-share");
  var title = root.getAttribute("data-title");

  // What has no link of its own is handed over as a file: whoever got a link to
  // it could not open it. Where files cannot be shared, it is shown.
  async function file() {
    var pdf = root.getAttribute("data-pdf");
    try {
      var answer = await fetch(pdf, { credentials: "same-origin" });
      var paper = new File([await answer.blob()], pdf.split("/")[2] + ".pdf", { type: "application/pdf" });
      if (answer.ok && navigator.canShare && navigator.canShare({ files: [paper] })) {
        await navigator.share({ title: title, files: [paper] });
        return;
      }
    } catch (e) {
      if (e.name === "AbortError") { return; } // the seller thought better of it
    }
    location.assign(pdf);
  }

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
    if (!link) {
      file();
      return;
    }
    if (!navigator.share) {
      copy();
      return;
    }
    navigator.share({ title: title, url: link }).catch(function (e) {
      if (e.name !== "AbortError") copy();
    });
  });
})();
