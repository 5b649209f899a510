//! `proxy`, as Backstage has it.

use super::Key;
use super::Kind::*;

pub(super) const KEYS: &[Key] = &[
    Key::new("proxy", Mapping, "Services that requests are passed on to, below `/api/proxy`"),
    Key::new("proxy.endpoints", Mapping, "The services"),
    Key::new(
        "proxy.endpoints.*",
        TextOrMapping,
        "A service: its URL, or the keys below. Its key is a path such as `/grafana/api`; where several fit, the longest \
         decides. Whoever has `proxy.grafana.api.read` may send GET, HEAD and OPTIONS, with `proxy.grafana.api.write` \
         other methods",
    ),
    Key::new("proxy.endpoints.*.target", Text, "The service's URL. What is asked for is always below its path"),
    Key::new(
        "proxy.endpoints.*.changeOrigin",
        Boolean,
        "Whether the service is asked under its own host's name; `false`: under the portal's, that of `app.baseUrl`",
    )
    .default("true"),
    Key::new(
        "proxy.endpoints.*.pathRewrite",
        Mapping,
        "Regular expressions over the whole path, such as `'^/api/proxy/grafana/api/old/(.*)': '/new/$1'`, the first that \
         matches. They take linear time: look-around and back-references are not supported",
    )
    .default("the path without `/api/proxy` and the key"),
    Key::new("proxy.endpoints.*.pathRewrite.*", Any, "What the first match is replaced with: a text"),
    Key::new("proxy.endpoints.*.headers", Mapping, "Headers that are set on every request, such as `Authorization`"),
    Key::new("proxy.endpoints.*.headers.*", Secret, "The header's value. It goes to the target's origin and nowhere else"),
    Key::new("proxy.endpoints.*.allowedMethods", Texts, "The methods that are passed on; for others there is no endpoint")
        .default("`[GET, HEAD]`"),
    Key::new(
        "proxy.endpoints.*.allowedHeaders",
        Texts,
        "Headers that pass in both directions, beside `Accept`, `Content-Type` and a few like them. Neither cookies nor \
         `Authorization` of requests",
    )
    .default("`[]`"),
    Key::new(
        "proxy.endpoints.*.credentials",
        Choice(&["require", "forward", "dangerously-allow-unauthenticated"]),
        "Who may use it: whoever is signed in and has the permission; the same, and the service gets the `Authorization` \
         that they sent; or everybody, without any permission",
    )
    .default("require"),
    Key::new(
        "proxy.endpoints.*.proxyTimeout",
        Number,
        "For how many milliseconds the service may say nothing, and a body stand still",
    )
    .default("60000"),
    Key::new("proxy.skipInvalidProxies", Boolean, "Whether to start without the endpoints that cannot be used")
        .default("false"),
    Key::later(
        "proxy.reviveConsumedRequestBodies",
        "would put bodies together again that something read before; here nothing does",
    ),
    Key::later("proxy.endpoints.*.followRedirects", "would follow redirects; they are answered as they come"),
    Key::later("proxy.endpoints.*.secure", "would take any certificate; here it must be valid, see `SSL_CERT_FILE`"),
    Key::later("proxy.endpoints.*.ws", "would pass WebSockets on"),
    Key::later("proxy.endpoints.*.xfwd", "would tell the service who asks"),
];
