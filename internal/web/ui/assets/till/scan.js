// Codes of goods and marks by the camera, where the browser can read them; where
// it cannot they are typed, and there is no key.
(function () {
  "use strict";
  const key = document.getElementById("scan");
  const video = document.getElementById("camera");
  if (!key || !window.BarcodeDetector || !navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) { return; }
  const input = document.getElementById("item-mark");
  let stream = null;
  key.hidden = false;

  function stop() {
    if (stream) { stream.getTracks().forEach(function (t) { t.stop(); }); }
    stream = null;
    video.hidden = true;
    key.setAttribute("aria-pressed", "false");
  }

  async function look(detector) {
    while (stream) {
      try {
        const found = await detector.detect(video);
        if (found.length && found[0].rawValue) {
          const code = found[0].rawValue;
          stop();
          if (/^\d{8,14}$/.test(code)) {
            window.till.lookup(code); // a barcode, and no mark
          } else {
            input.value = code;
            input.focus();
          }
          return;
        }
      } catch (e) { /* not a picture yet */ }
      await new Promise(function (done) { setTimeout(done, 150); });
    }
  }

  key.addEventListener("click", async function () {
    if (stream) {
      stop();
      return;
    }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.srcObject = stream;
      video.hidden = false;
      key.setAttribute("aria-pressed", "true");
      await video.play();
      look(new window.BarcodeDetector({ formats: ["data_matrix", "qr_code", "ean_13", "ean_8", "code_128"] }));
    } catch (e) {
      stop();
      const words = JSON.parse(document.getElementById("sale").getAttribute("data-words"));
      key.hidden = true;
      input.setAttribute("placeholder", words["till.sale.scan.none"]);
    }
  });
})();
