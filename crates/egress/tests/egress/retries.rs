//! Throttled requests are sent again, within bounds.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use callboard_egress::Request;
use http::Method;

use crate::support::{NAMED, Reply, Server, egress, get};

/// Throttles so many times before it answers.
async fn throttling(times: u32, status: u16, retry_after: Option<&'static str>) -> Server {
    let count = AtomicU32::new(0);
    Server::start(move |_| {
        if count.fetch_add(1, Ordering::SeqCst) >= times {
            return Reply::new(200, "at last");
        }
        let reply = Reply::new(status, "<Error><Code>SlowDown</Code></Error>");
        match retry_after {
            Some(value) => reply.with("retry-after", value),
            None => reply,
        }
    })
    .await
}

#[tokio::test]
async fn bounded() {
    let egress = egress();
    let check = async |times, status, method: Method, retry: bool, expected: (u16, usize)| {
        let server = throttling(times, status, None).await;
        let request = Request { retry, method, ..get(server.url.clone()) };
        let response = egress.send(request, &NAMED).await.unwrap();
        assert_eq!((response.status.as_u16(), server.seen().len()), expected, "{times} times {status}");
    };
    check(2, 503, Method::GET, true, (200, 3)).await;
    check(2, 429, Method::GET, true, (200, 3)).await;
    check(4, 503, Method::HEAD, true, (200, 5)).await;
    check(9, 503, Method::GET, true, (503, 5)).await;
    check(2, 503, Method::GET, false, (503, 1)).await;
    check(2, 503, Method::POST, true, (503, 1)).await;
    check(2, 500, Method::GET, true, (500, 1)).await;
    check(2, 404, Method::GET, true, (404, 1)).await;
}

#[tokio::test]
async fn waits_are_capped_and_end_with_the_request() {
    let server = throttling(1, 503, Some("86400")).await;
    let request = Request { retry: true, ..get(server.url.clone()) };
    assert_eq!(egress().send(request, &NAMED).await.unwrap().status, 200);

    // Nothing is waited for that the request's time does not cover: the answer at hand says more than a timeout.
    let limits = callboard_egress::Limits { longest_wait: Duration::from_secs(600), ..Default::default() };
    let settings = callboard_egress::Settings { limits, ..Default::default() };
    let egress = callboard_egress::Egress::new(settings).unwrap();
    let server = throttling(1, 503, Some("300")).await;
    let request = Request { retry: true, ..get(server.url.clone()) };
    assert_eq!(egress.send(request, &NAMED).await.unwrap().status, 503);
    assert_eq!(server.seen().len(), 1);
}
