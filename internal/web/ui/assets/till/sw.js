// The till without a network. KEEP is set by the script that imports this one.
// Assets have their hash in their name and are kept until the next version; the
// page to sell on is kept as it was last seen, and another page is answered with
// one that says what can be done.
(function () {
  "use strict";

  var ASSETS = "till-assets-" + self.VERSION;
  var PAGES = "till-pages";
  var OFFLINE = "/offline";

  self.addEventListener("install", function (event) {
    event.waitUntil((async function () {
      var assets = await caches.open(ASSETS);
      await assets.addAll(self.KEEP);
      var pages = await caches.open(PAGES);
      await pages.add(OFFLINE);
      await self.skipWaiting();
    })());
  });

  self.addEventListener("activate", function (event) {
    event.waitUntil((async function () {
      var names = await caches.keys();
      await Promise.all(names.filter(function (n) { return n.indexOf("till-assets-") === 0 && n !== ASSETS; }).map(function (n) { return caches.delete(n); }));
      await self.clients.claim();
    })());
  });

  // forget drops the page to sell on: whoever comes next is somebody else.
  async function forget() {
    var pages = await caches.open(PAGES);
    await pages.delete("/");
  }

  async function asset(request) {
    var kept = await caches.match(request);
    if (kept) { return kept; }
    return fetch(request);
  }

  async function page(request) {
    var path = new URL(request.url).pathname;
    try {
      var answer = await fetch(request);
      if (path === "/" && answer.status === 200 && answer.type === "basic" && !answer.redirected) {
        var copy = answer.clone();
        var pages = await caches.open(PAGES);
        await pages.put("/", copy);
        var other = await caches.match(OFFLINE, { cacheName: PAGES });
        if (!other || other.headers.get("Content-Language") !== answer.headers.get("Content-Language")) {
          pages.add(OFFLINE).catch(function () { /* the one before stays */ }); // in the seller's language
        }
      }
      return answer;
    } catch (e) {
      var kept = null;
      if (path === "/") { kept = await caches.match("/", { cacheName: PAGES }); }
      if (!kept) { kept = await caches.match(OFFLINE, { cacheName: PAGES }); }
      if (!kept) { throw e; }
      return kept;
    }
  }

  self.addEventListener("fetch", function (event) {
    var request = event.request;
    var url = new URL(request.url);
    if (url.origin !== self.location.origin) { return; }
    if (request.method === "POST") {
      if (url.pathname === "/signout" || url.pathname === "/leave" || url.pathname === "/account/language") { event.waitUntil(forget()); }
      return;
    }
    if (request.method !== "GET") { return; }
    if (url.pathname.indexOf("/assets/") === 0) {
      event.respondWith(asset(request));
    } else if (request.mode === "navigate") {
      event.respondWith(page(request));
    }
  });
})();
