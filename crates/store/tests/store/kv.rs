//! What plugins keep.

use callboard_store::Kv;
use callboard_store::kv::{KvError, KvLimits};

use super::support::{Place, on_both};

on_both!(plugins_keep_their_own, plugins_have_quotas, keys_come_in_pages);

async fn plugins_keep_their_own(place: Place) {
    let kv = Kv::new(place.open().await);
    let (one, two) = (kv.of("one", 0), kv.of("two", 0));
    one.set("a", b"1").await.unwrap();
    two.set("a", b"2").await.unwrap();
    one.set("a/b", b"3").await.unwrap();
    one.set("a%", b"4").await.unwrap();
    one.set("ä", b"").await.unwrap();
    assert_eq!(one.get("a").await.unwrap().as_deref(), Some(b"1".as_slice()));
    assert_eq!(two.get("a/b").await.unwrap(), None);
    let check = async |prefix: &str, after: Option<&str>, expected: &[&str]| {
        assert_eq!(one.keys(prefix, after).await.unwrap(), expected, "{prefix} {after:?}");
    };
    check("", None, &["a", "a%", "a/b", "ä"]).await;
    check("a", Some("a"), &["a%", "a/b"]).await;
    check("a/", None, &["a/b"]).await;
    check("ä", None, &["ä"]).await;
    check("%", None, &[]).await;
    one.delete("a").await.unwrap();
    one.delete("a").await.unwrap();
    assert_eq!(one.get("a").await.unwrap(), None);
    assert_eq!(two.get("a").await.unwrap().as_deref(), Some(b"2".as_slice()));
}

async fn plugins_have_quotas(place: Place) {
    let kv = Kv::with_limits(place.open().await, KvLimits { value_bytes: 10, plugin_bytes: 30 });
    let (p, q) = (kv.of("p", 0), kv.of("q", 0));
    p.set("a", &[0; 10]).await.unwrap();
    assert!(matches!(p.set("b", &[0; 11]).await, Err(KvError::Value { bytes: 11, limit: 10 })));
    p.set("b", &[0; 10]).await.unwrap();
    let full = p.set("c", &[0; 8]).await.unwrap_err();
    assert!(matches!(full, KvError::Full { bytes: 31, limit: 30 }), "{full}");
    p.set("c", &[0; 7]).await.unwrap();
    // Replacing counts the difference, deleting gives back, and nobody else is concerned.
    p.set("a", &[0; 10]).await.unwrap();
    q.set("a", &[0; 10]).await.unwrap();
    p.delete("b").await.unwrap();
    p.set("d", &[0; 10]).await.unwrap();
    for key in ["", "a\0b", &"k".repeat(513)] {
        assert!(matches!(p.set(key, b"x").await, Err(KvError::Key(_))), "{key:?}");
        assert!(matches!(p.get(key).await, Err(KvError::Key(_))), "{key:?}");
    }
    p.delete("a").await.unwrap();
    p.set(&"k".repeat(9), b"x").await.unwrap();
}

async fn keys_come_in_pages(place: Place) {
    let p = Kv::new(place.open().await).of("p", 0);
    for number in 0..1005 {
        p.set(&format!("k{number:04}"), b"").await.unwrap();
    }
    let page = p.keys("k", None).await.unwrap();
    assert_eq!(page.len(), 1000);
    let rest = p.keys("k", page.last().map(String::as_str)).await.unwrap();
    assert_eq!(rest, ["k1000", "k1001", "k1002", "k1003", "k1004"]);
}
