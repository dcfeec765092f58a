// Keeps the page as it is on the responder: told of a change, it fetches the part that changes and exchanges the
// sections that differ. What somebody types, opens or points at is left alone. Without it the page works, too.
"use strict";

(() => {
  const part = document.getElementById("part");
  const connection = document.getElementById("connection");
  const announcement = document.getElementById("announcement");
  const AGAIN_MS = 5000;
  // The responder speaks every 15 s: after two silences the connection is dead, whatever the browser thinks of it.
  const SILENT_MS = 40000;
  let events = null;
  let again = 0;
  let retry = 0;
  let fetching = false;
  let wanted = "";
  let heardAt = 0;

  const say = (text, isLive) => {
    if (connection.textContent !== text) connection.textContent = text;
    connection.classList.toggle("live", isLive);
  };

  // As words.py says it.
  const lasting = (seconds) => {
    for (const [length, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
      if (seconds >= 2 * length) return `${Math.floor(seconds / length)} ${unit}`;
    }
    return `${Math.floor(seconds)} s`;
  };
  const relative = (seconds) => {
    if (seconds >= 1) return `in ${lasting(seconds)}`;
    return seconds > -1 ? "just now" : `${lasting(-seconds)} ago`;
  };
  // How far the responder's clock is ahead of this one: a phone's may be wrong.
  let ahead = 0;
  const compare = () => {
    const made = document.querySelector("#headline time");
    if (made) ahead = Date.parse(made.dateTime) - Date.now();
  };
  const tick = () => {
    for (const time of document.querySelectorAll("time")) {
      const text = relative((Date.parse(time.dateTime) - Date.now() - ahead) / 1000);
      if (time.textContent !== text) time.textContent = text;
    }
  };

  // Times grow old by themselves, and what was opened or typed is not the responder's: neither is a change.
  const essence = (section) => {
    const copy = section.cloneNode(true);
    copy.querySelectorAll("time").forEach((time) => { time.textContent = ""; });
    copy.querySelectorAll("form").forEach((form) => { form.replaceWith(form.id + form.elements.seal.value); });
    copy.querySelectorAll("details").forEach((each) => each.removeAttribute("open"));
    return copy.innerHTML + copy.className + copy.hidden;
  };

  // What the keyboard pointed at: itself where it was kept, else what has taken its place.
  const counterpart = (focused) => {
    if (document.contains(focused)) return focused;
    const { parentElement, tagName } = focused;
    if (tagName === "SUMMARY" && parentElement.id) return document.getElementById(parentElement.id)?.firstElementChild;
    return tagName === "A" ? document.querySelector(`main a[href="${CSS.escape(focused.getAttribute("href"))}"]`) : null;
  };

  const exchange = (fresh) => {
    const before = document.getElementById(fresh.id);
    if (before === null || essence(before) === essence(fresh)) return;
    const focused = document.activeElement;
    const wasInside = before.contains(focused);
    fresh.querySelectorAll("details[id]").forEach((each) => {
      const old = document.getElementById(each.id);
      if (old) each.open = old.open;
    });
    fresh.querySelectorAll("form[id]").forEach((form) => {
      const old = document.getElementById(form.id);
      if (!old) return;
      old.elements.seal.value = form.elements.seal.value;
      form.replaceWith(old);
    });
    before.replaceWith(fresh);
    if (wasInside) counterpart(focused)?.focus();
  };

  const renew = async (version) => {
    wanted = version;
    if (fetching) return;
    fetching = true;
    try {
      while (wanted) {
        wanted = "";
        const response = await fetch(part.dataset.source, { cache: "no-store", signal: AbortSignal.timeout(10000) });
        if (!response.ok) throw new Error(String(response.status));
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
        const headline = fresh.getElementById("headline");
        fresh.querySelectorAll("body > section").forEach(exchange);
        document.getElementById("headline").dataset.version = headline.dataset.version;
        // The title is read out where it says something new; the page itself changes silently.
        const title = headline.querySelector("h1").innerText;
        if (announcement.textContent !== title) announcement.textContent = title;
        if (headline.dataset.title) document.title = headline.dataset.title;
        document.querySelector("#headline time").dateTime = headline.querySelector("time").dateTime;
        compare();
        tick();
      }
      say("Live", true);
    } catch {
      say("Not renewed: trying again", false);
      clearTimeout(retry);
      retry = setTimeout(() => renew(version), AGAIN_MS);
    } finally {
      fetching = false;
    }
  };

  const shownVersion = () => document.getElementById("headline").dataset.version;

  const listen = () => {
    clearTimeout(again);
    if (events !== null || document.hidden) return;
    events = new EventSource("/page/events");
    heardAt = Date.now();
    events.onmessage = (message) => {
      heardAt = Date.now();
      if (message.data !== shownVersion()) return renew(message.data);
      document.querySelector("#headline time").dateTime = new Date(heardAt + ahead).toISOString();
      say("Live", true);
    };
    events.onerror = () => {
      say("Not live: trying to reach the responder", false);
      if (events.readyState !== EventSource.CLOSED) return;
      events = null; // refused, as there are too many: browsers give up, we do not
      again = setTimeout(listen, AGAIN_MS);
    };
  };

  // A page that nobody sees listens to nothing: browsers allow only few connections to one host.
  const stop = () => {
    clearTimeout(again);
    if (events) events.close();
    events = null;
  };
  const onVisibility = () => (document.hidden ? stop() : listen());
  const watch = () => {
    tick();
    if (events === null || Date.now() - heardAt < SILENT_MS) return;
    say("Not live: nothing is heard of the responder", false);
    stop();
    listen();
  };

  compare();
  tick();
  setInterval(watch, 1000);
  if (part) {
    document.addEventListener("visibilitychange", onVisibility);
    listen();
  }
})();
