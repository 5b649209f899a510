//! The address rule, where connections are really opened.

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use callboard_egress::{Egress, Error, Reach, Settings, resolver::Resolve};
use url::Url;

use crate::support::{Any, NAMED, Reply, Server, get, quick, text};

/// Answers with the next of its lists, and with the last one from then on.
struct Answers(Mutex<Vec<Vec<&'static str>>>);

#[async_trait]
impl Resolve for Answers {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        assert!(host.ends_with(".test"), "{host} must not be looked up");
        let mut lists = self.0.lock().unwrap();
        let list = if lists.len() > 1 { lists.remove(0) } else { lists[0].clone() };
        if list.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no such name"));
        }
        Ok(list.into_iter().map(|addr| addr.parse().unwrap()).collect())
    }
}

fn egress(lists: &[&[&'static str]]) -> Egress {
    let lists = lists.iter().map(|list| list.to_vec()).collect();
    let settings = Settings { limits: quick(), ..Settings::default() };
    Egress::with_resolver(settings, Arc::new(Answers(Mutex::new(lists)))).unwrap()
}

async fn server() -> Server {
    Server::start(|_| Reply::new(200, "hello").with("connection", "close")).await
}

fn at(server: &Server, host: &str) -> Url {
    format!("http://{host}:{}/", server.port()).parse().unwrap()
}

#[tokio::test]
async fn names_are_judged_by_their_addresses() {
    let server = server().await;
    let check = async |list: &'static [&'static str], reach: Reach, expected: Result<(), (&str, bool)>| {
        let result = egress(&[list]).send(get(at(&server, "name.test")), &Any(reach)).await;
        match (result, expected) {
            (Ok(response), Ok(())) => assert_eq!(response.status, 200),
            (Err(Error::Address { addr, reason, literal, .. }), Err((refused, nameable))) => {
                assert_eq!((addr.to_string().as_str(), reason.nameable, literal), (refused, nameable, false));
            }
            (seen, _) => panic!("{list:?} {reach:?}: {seen:?}"),
        }
    };
    check(&["127.0.0.1"], Reach::Named, Ok(())).await;
    check(&["127.0.0.1"], Reach::Public, Err(("127.0.0.1", true))).await;
    check(&["::ffff:127.0.0.1"], Reach::Public, Err(("::ffff:127.0.0.1", true))).await;
    check(&["10.0.0.1", "::1"], Reach::Public, Err(("::1", true))).await;
    check(&["169.254.169.254"], Reach::Public, Err(("169.254.169.254", false))).await;
    check(&["169.254.169.254"], Reach::Named, Err(("169.254.169.254", false))).await;
    check(&["fd00:ec2::254"], Reach::Named, Err(("fd00:ec2::254", false))).await;
    check(&["64:ff9b::a9fe:a9fe"], Reach::Named, Err(("64:ff9b::a9fe:a9fe", false))).await;
    check(&["0.0.0.0"], Reach::Named, Err(("0.0.0.0", false))).await;
    // The connection goes to the one address that passed.
    check(&["169.254.169.254", "127.0.0.1", "0.0.0.0"], Reach::Named, Ok(())).await;
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let server = server().await;
    for second in ["169.254.169.254", "0.0.0.0", "fe80::1"] {
        let egress = egress(&[&["127.0.0.1"], &[second]]);
        let url = at(&server, "rebind.test");
        assert_eq!(text(&egress, get(url.clone()), &NAMED).await, "hello");
        let error = egress.send(get(url), &NAMED).await.unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("rebind.test resolves to {second}")), "{error}");
    }
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_connection_of_the_wider_reach_is_not_used_by_the_narrower() {
    let server = Server::start(|_| Reply::new(200, "hello")).await;
    let egress = egress(&[&["127.0.0.1"]]);
    let url = at(&server, "both.test");
    assert_eq!(text(&egress, get(url.clone()), &NAMED).await, "hello");
    let error = egress.send(get(url), &Any(Reach::Public)).await.unwrap_err();
    assert!(matches!(error, Error::Address { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn addresses_in_urls_are_judged_before_anything_is_opened() {
    let server = server().await;
    let egress = egress(&[&[]]);
    let check = async |host: &str, reach: Reach, reached: bool| {
        let result = egress.send(get(at(&server, host)), &Any(reach)).await;
        match result {
            Ok(_) => assert!(reached, "{host} was reached"),
            Err(Error::Address { literal: true, .. }) => assert!(!reached, "{host} was not reached"),
            Err(other) => panic!("{host}: {other:?}"),
        }
    };
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "127.1", "[::ffff:127.0.0.1]"] {
        check(host, Reach::Public, false).await;
    }
    assert!(server.seen().is_empty());
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "127.1", "[::ffff:127.0.0.1]"] {
        check(host, Reach::Named, true).await;
    }
    for host in ["169.254.169.254", "2852039166", "[::ffff:a9fe:a9fe]", "[fe80::1]", "0.0.0.0", "255.255.255.255"] {
        check(host, Reach::Named, false).await;
    }
    assert_eq!(server.seen().len(), 7);
}

#[tokio::test]
async fn a_trailing_dot_and_userinfo() {
    let server = server().await;
    let egress = egress(&[&["127.0.0.1"]]);
    assert_eq!(text(&egress, get(at(&server, "name.test.")), &NAMED).await, "hello");
    assert_eq!(server.seen()[0].header("host"), format!("name.test:{}", server.port()));
    for host in ["user@name.test", "user:hunter2@name.test"] {
        let error = egress.send(get(at(&server, host)), &NAMED).await.unwrap_err();
        assert!(matches!(error, Error::Url { .. }), "{error:?}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert_eq!(server.seen().len(), 1);
}
