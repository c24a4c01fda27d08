// While the server works, say so: how long it has taken, and a way to stop. Without this
// script the form works the same; the browser's own indicator is then all there is.
"use strict";

for (const form of document.querySelectorAll("form[data-progress]")) {
  const status = document.getElementById(form.dataset.progress);
  const stop = form.querySelector("[data-stop]");
  let timer = null;

  const end = (text) => {
    clearInterval(timer);
    timer = null;
    stop.hidden = true;
    status.textContent = text;
  };

  form.addEventListener("submit", () => {
    const format = form.elements.namedItem("format");
    // A download leaves this page in place, so that nothing would ever end the wait.
    if (format && format.value !== "html") return;
    const began = performance.now();
    clearInterval(timer);
    stop.hidden = false;
    status.textContent = "Working…";
    timer = setInterval(() => {
      const seconds = Math.round((performance.now() - began) / 1000);
      status.textContent = `Working for ${seconds} s…`;
    }, 1000);
  });

  // The server notices that the browser hangs up, and stops its own requests.
  stop.addEventListener("click", () => {
    window.stop();
    end("Stopped.");
  });

  // Back from the answer, the page may come from the browser's memory as it was left.
  window.addEventListener("pageshow", () => {
    if (timer !== null) end("");
  });
}
