// Keeps the number of users online current, shows whether it is live, and draws the last
// few minutes. Without this script the page shows the number that the server sent.
"use strict";

const SECOND = 1000;
const MAX_RETRY = 30 * SECOND;
const HISTORY = 5 * 60 * SECOND;

const box = document.querySelector("[data-online]");
const count = box.querySelector("[data-online-count]");
const state = box.querySelector("[data-online-state]");
const picture = document.querySelector("[data-online-history]");
// The server repeats its number regularly. A longer silence means that the connection is
// lost, even if the browser has not noticed, as after a sleep.
const silence = box.dataset.silenceSeconds * SECOND;

// --- The socket ---

let socket = null;
let heardAt = 0;
let failures = 0;
let retry = null;

function connect() {
  drop();
  const address = new URL("/counter", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const opened = new WebSocket(address);
  opened.addEventListener("message", (message) => {
    if (socket !== opened) return;
    heardAt = Date.now();
    failures = 0;
    show(message.data);
  });
  opened.addEventListener("close", () => {
    if (socket === opened) lose();
  });
  socket = opened;
  heardAt = Date.now();
}

function drop() {
  clearTimeout(retry);
  const dropped = socket;
  // First, so that its close event does not look like a lost connection.
  socket = null;
  if (dropped !== null) dropped.close();
}

// Waits for a random part of a time that doubles, so that many browsers that lost the same
// server do not reconnect at once.
function lose() {
  drop();
  const longest = Math.min(MAX_RETRY, SECOND * 2 ** failures);
  failures += 1;
  retry = setTimeout(connect, Math.random() * longest);
  say(false, "Not live: reconnecting. Showing the last known number.");
  note(null);
}

function look() {
  if (socket !== null && Date.now() - heardAt > silence) lose();
  draw();
}

// The page is visible again, or the network is back: reconnect now.
function wake() {
  if (socket === null) connect();
  else look();
}

// --- What is shown ---

function show(number) {
  count.textContent = number;
  say(true, "Live");
  note(Number(number));
}

// Screen readers announce the state, but not the number, which changes too often.
function say(live, text) {
  box.classList.toggle("live", live);
  if (state.textContent !== text) state.textContent = text;
}

// Each number and when it began; null while disconnected.
let noted = [];

function note(number) {
  const now = Date.now();
  if (noted.length === 0 || noted.at(-1).number !== number) noted.push({ at: now, number });
  draw();
}

function draw() {
  if (picture === null || noted.length === 0) return;
  const now = Date.now();
  // Keeps the number that was current when the window began.
  while (noted.length > 1 && noted[1].at <= now - HISTORY) noted.shift();
  const from = Math.max(noted[0].at, now - HISTORY);
  const numbers = noted.map((each) => each.number).filter((number) => number !== null);
  if (numbers.length === 0) return;
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const x = (at) => (300 * (Math.max(at, from) - from)) / Math.max(now - from, SECOND);
  const y = (number) => 58 - (54 * number) / Math.max(most, 1);
  let path = "";
  noted.forEach(({ at, number }, index) => {
    if (number === null) return;
    const until = index + 1 < noted.length ? noted[index + 1].at : now;
    const follows = index > 0 && noted[index - 1].number !== null;
    path += `${follows ? "L" : "M"}${x(at)} ${y(number)}L${x(until)} ${y(number)}`;
  });
  const seconds = Math.round((now - from) / SECOND);
  const span = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  picture.hidden = false;
  picture.querySelector("[data-online-line]").setAttribute("d", path);
  picture.querySelector("[data-online-since]").textContent = `${span} ago`;
  picture.querySelector("figcaption").textContent =
    `In the last ${span}: at least ${least}, at most ${most} online.`;
}

// --- Start, stop and resume ---

say(false, "Connecting…");
connect();
setInterval(look, 5 * SECOND);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") wake();
});
window.addEventListener("online", wake);
window.addEventListener("offline", lose);
window.addEventListener("pagehide", drop);
// A page restored from the back/forward cache has no socket.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) connect();
});
