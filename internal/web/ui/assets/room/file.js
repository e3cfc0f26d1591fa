// A long list as a file: how much of it has come, and a way to stop. Without
// this the browser's own download does it.
(() => {
  const size = (bytes, began) => {
    if (bytes >= 1 << 20) return (bytes / (1 << 20)).toFixed(1) + " MB";
    if (bytes > 0) return Math.ceil(bytes / 1024) + " KB";
    return Math.round((performance.now() - began) / 1000) + " s";
  };

  const get = async (link) => {
    const box = document.getElementById("file");
    const said = box.querySelector("span"), stop = box.querySelector("button");
    const cut = new AbortController(), began = performance.now(), parts = [];
    let bytes = 0;
    const say = () => { said.textContent = box.dataset.gets.replace("{size}", size(bytes, began)); };
    const clock = setInterval(say, 500);
    stop.onclick = () => cut.abort();
    stop.hidden = box.hidden = false;
    say();
    box.scrollIntoView({ block: "nearest" });
    try {
      const answer = await fetch(link.href, { signal: cut.signal });
      const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") || "");
      if (!answer.ok || !name) { location = link.href; return; } // a page that says what is wrong
      for (const from = answer.body.getReader(); ;) {
        const { done, value } = await from.read();
        if (done) break;
        bytes += value.length;
        parts.push(value);
      }
      const save = document.createElement("a");
      save.href = URL.createObjectURL(new Blob(parts, { type: answer.headers.get("Content-Type") }));
      save.download = name[1];
      save.click();
      setTimeout(() => URL.revokeObjectURL(save.href), 60000);
      box.hidden = true;
    } catch (e) {
      box.hidden = e.name === "AbortError";
      said.textContent = box.dataset.failed;
      stop.hidden = true;
    } finally {
      clearInterval(clock);
      delete link.dataset.under;
    }
  };

  addEventListener("click", (event) => {
    const link = event.target.closest("a[data-file]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !window.ReadableStream) return;
    event.preventDefault();
    if (link.dataset.under) return;
    link.dataset.under = "1";
    get(link);
  });
})();
