// Sends several requests at once, and draws when each was sent and answered.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const ROW = 20; // pixels

const element = (name, attributes, text = "") => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
};

const seconds = (value) => `${Number(value.toPrecision(3))} s`;

// Sends one request; times are in seconds since all of them were sent.
const send = async (url, began) => {
  const start = (performance.now() - began) / 1000;
  // Browsers send equal requests one after the other unless the cache is off.
  const response = await fetch(url, { cache: "no-store" });
  const answer = await response.json();
  const end = (performance.now() - began) / 1000;
  if (!response.ok) return { start, end, thread: answer.detail, loop: "–" };
  return { start, end, thread: answer.threads[0], loop: answer.server.event_loop_id };
};

const draw = (plot, requests, predicted) => {
  const upper = Math.max(predicted, ...requests.map((request) => request.end));
  const percent = (value) => `${((value / upper) * 100).toFixed(2)}%`;
  const height = ROW * requests.length;
  plot.setAttribute("height", height + 30);
  requests.forEach((request, index) => {
    const y = (index + 0.5) * ROW;
    plot.append(
      element("line", {
        class: "blocking",
        "stroke-width": 14,
        x1: percent(request.start),
        x2: percent(request.end),
        y1: y,
        y2: y,
      }),
      element("text", { class: "beside", x: 0, y, dx: -8, dy: 4 }, `request ${index + 1}`),
    );
  });
  const x = percent(predicted);
  plot.append(
    element("line", { class: "axis", x1: 0, x2: "100%", y1: height, y2: height }),
    element("line", { class: "marker", x1: x, x2: x, y1: 0, y2: height }),
    element("text", { class: "before", x, y: height + 19 }, `predicted ${seconds(predicted)}`),
  );
};

const tabulate = (body, requests) => {
  requests.forEach((request, index) => {
    const row = body.insertRow();
    const cells = [seconds(request.start), seconds(request.end), request.thread, request.loop];
    const heading = document.createElement("th");
    heading.scope = "row";
    heading.textContent = index + 1;
    row.append(heading);
    for (const cell of cells) row.insertCell().textContent = cell;
  });
};

const run = async (section) => {
  const { requests: url, count, predicted } = section.dataset;
  const find = (selector) => section.querySelector(selector);
  const summary = find("[role=status]");
  find("[data-figure]").hidden = false;
  summary.textContent = `Sending ${count} requests…`;
  const began = performance.now();
  try {
    const requests = await Promise.all(Array.from({ length: count }, () => send(url, began)));
    const took = Math.max(...requests.map((request) => request.end));
    // Two workers may have threads of the same name.
    const threads = new Set(requests.map((request) => `${request.loop} ${request.thread}`));
    find("[data-took]").textContent = seconds(took);
    find("[data-threads]").textContent = threads.size;
    draw(find("svg"), requests, Number(predicted));
    tabulate(find("tbody"), requests);
    summary.textContent = `${count} requests were answered within ${seconds(took)}, predicted ${seconds(Number(predicted))}.`;
  } catch (error) {
    summary.textContent = `The requests could not be sent: ${error.message}`;
  }
};

for (const section of document.querySelectorAll("[data-requests]")) run(section);
