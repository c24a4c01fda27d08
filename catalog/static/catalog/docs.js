// Shows the OpenAPI document in #api.
"use strict";

const api = document.getElementById("api");

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: api.dataset.document,
  domNode: api,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  // Staff may write with their session; the CSRF token proves that the page is ours.
  requestInterceptor: (request) => {
    const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/);
    if (cookie) request.headers["X-CSRFToken"] = cookie[1];
    return request;
  },
});
