// The page inside the sandboxed frame: shows a definition with swagger-ui, and hands every request to the portal's
// page, because this frame may not connect to anything itself.
//
// To the page:   {type: "callboard:ready"}
//                {type: "callboard:request", id, method, url, headers, body}     body is base64 or null
//                {type: "callboard:height", height}                              in CSS pixels
// From the page: {type: "callboard:definition", spec, url, theme}                spec is the text, or an object
//                {type: "callboard:theme", theme}                                "light" or "dark"
//                {type: "callboard:response", id, ok} or {.., id, error}
(() => {
  "use strict";

  // The frame's own origin is opaque, but its address is the portal's.
  const portal = location.origin;
  const viewer = document.getElementById("viewer");
  const waiting = new Map();
  let shown = null;
  let lastId = 0;
  let lastHeight = 0;

  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || event.origin !== portal || event.data === null) return;
    const message = event.data;
    switch (message.type) {
      case "callboard:definition":
        paint(message.theme);
        show(message.spec, message.url);
        break;
      case "callboard:theme":
        paint(message.theme);
        break;
      case "callboard:response":
        settle(message);
        break;
    }
  });

  new ResizeObserver(() => {
    const height = document.documentElement.offsetHeight;
    if (height === lastHeight) return;
    lastHeight = height;
    send({ type: "callboard:height", height });
  }).observe(document.documentElement);

  send({ type: "callboard:ready" });

  function send(message) {
    window.parent.postMessage(message, portal);
  }

  function paint(theme) {
    document.documentElement.classList.toggle("dark-mode", theme === "dark");
  }

  function show(spec, url) {
    const text = typeof spec === "string" ? spec : JSON.stringify(spec);
    if (text === shown) return;
    shown = text;
    try {
      const ui = SwaggerUIBundle({
        domNode: viewer,
        layout: "BaseLayout",
        presets: [SwaggerUIBundle.presets.apis],
        deepLinking: false,
        persistAuthorization: false,
        queryConfigEnabled: false,
        validatorUrl: null,
        requestInterceptor: (request) => Object.assign(request, { userFetch: relay }),
      });
      ui.specActions.updateUrl(typeof url === "string" ? url : "");
      ui.specActions.updateLoadingStatus("success");
      ui.specActions.updateSpec(text);
    } catch (error) {
      const notice = document.createElement("p");
      notice.className = "failed";
      notice.setAttribute("role", "alert");
      notice.textContent = `swagger-ui cannot show this definition: ${error.message}`;
      viewer.replaceChildren(notice);
    }
  }

  // Stands in for fetch.
  async function relay(url, request) {
    const method = (request.method || "GET").toUpperCase();
    const headers = {};
    for (const [name, value] of Object.entries(request.headers || {})) {
      headers[name] = Array.isArray(value) ? value.join(", ") : String(value);
    }
    let body = null;
    if (request.body !== undefined && request.body !== null && request.body !== "") {
      // A Response knows how to write each kind of body, and which content type a form has.
      const carrier = new Response(request.body);
      const named = Object.keys(headers).some((name) => name.toLowerCase() === "content-type");
      if (!named && carrier.headers.has("content-type")) {
        headers["content-type"] = carrier.headers.get("content-type");
      }
      body = toBase64(new Uint8Array(await carrier.arrayBuffer()));
    }
    const id = ++lastId;
    const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
    send({ type: "callboard:request", id, method, url: String(url), headers, body });
    return answer;
  }

  function settle(message) {
    const asked = waiting.get(message.id);
    if (asked === undefined) return;
    waiting.delete(message.id);
    if (message.ok === undefined) {
      asked.reject(new Error(String(message.error)));
      return;
    }
    const { status, headers, body, url } = message.ok;
    const empty = [101, 204, 205, 304].includes(status);
    const response = new Response(empty ? null : fromBase64(body), { status, headers });
    Object.defineProperty(response, "url", { value: url });
    asked.resolve(response);
  }

  function toBase64(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length; at += 0x8000) {
      text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    }
    return btoa(text);
  }

  function fromBase64(text) {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  }
})();
