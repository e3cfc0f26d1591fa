// What a browser can do beyond the page itself: print, and hand the address on.
// Without this file the page is whole; the buttons are simply not there.
const copied = document.querySelector("[data-copied]");

const actions = {
  print: () => window.print(),
  share: async (button) => {
    const url = button.dataset.url;
    try {
      if (navigator.share) {
        await navigator.share({ title: document.title, url });
        return;
      }
      await navigator.clipboard.writeText(url);
      copied.textContent = copied.dataset.copied;
    } catch (err) {
      if (err.name !== "AbortError") copied.textContent = url;
    }
  },
};

for (const button of document.querySelectorAll("button[data-action]")) {
  button.hidden = false;
  button.addEventListener("click", () => actions[button.dataset.action](button));
}
