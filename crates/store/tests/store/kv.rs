//! What plugins keep.

use callboard_store::Kv;
use callboard_store::kv::{KvError, KvLimits};

use super::support::{Place, on_both};

on_both!(plugins_keep_their_own, plugins_have_quotas, keys_come_in_pages);

async fn plugins_keep_their_own(place: Place) {
    let kv = Kv::new(place.open().await);
    kv.set("one", "a", b"1").await.unwrap();
    kv.set("two", "a", b"2").await.unwrap();
    kv.set("one", "a/b", b"3").await.unwrap();
    kv.set("one", "a%", b"4").await.unwrap();
    kv.set("one", "ä", b"").await.unwrap();
    assert_eq!(kv.get("one", "a").await.unwrap().as_deref(), Some(b"1".as_slice()));
    assert_eq!(kv.get("two", "a/b").await.unwrap(), None);
    let check = async |prefix: &str, after: Option<&str>, expected: &[&str]| {
        assert_eq!(kv.keys("one", prefix, after).await.unwrap(), expected, "{prefix} {after:?}");
    };
    check("", None, &["a", "a%", "a/b", "ä"]).await;
    check("a", Some("a"), &["a%", "a/b"]).await;
    check("a/", None, &["a/b"]).await;
    check("ä", None, &["ä"]).await;
    check("%", None, &[]).await;
    kv.delete("one", "a").await.unwrap();
    kv.delete("one", "a").await.unwrap();
    assert_eq!(kv.get("one", "a").await.unwrap(), None);
    assert_eq!(kv.get("two", "a").await.unwrap().as_deref(), Some(b"2".as_slice()));
}

async fn plugins_have_quotas(place: Place) {
    let kv = Kv::with_limits(place.open().await, KvLimits { value_bytes: 10, plugin_bytes: 30 });
    kv.set("p", "a", &[0; 10]).await.unwrap();
    assert!(matches!(kv.set("p", "b", &[0; 11]).await, Err(KvError::Value { bytes: 11, limit: 10 })));
    kv.set("p", "b", &[0; 10]).await.unwrap();
    let full = kv.set("p", "c", &[0; 8]).await.unwrap_err();
    assert!(matches!(full, KvError::Full { bytes: 31, limit: 30 }), "{full}");
    kv.set("p", "c", &[0; 7]).await.unwrap();
    // Replacing counts the difference, deleting gives back, and nobody else is concerned.
    kv.set("p", "a", &[0; 10]).await.unwrap();
    kv.set("q", "a", &[0; 10]).await.unwrap();
    kv.delete("p", "b").await.unwrap();
    kv.set("p", "d", &[0; 10]).await.unwrap();
    for key in ["", "a\0b", &"k".repeat(513)] {
        assert!(matches!(kv.set("p", key, b"x").await, Err(KvError::Key(_))), "{key:?}");
        assert!(matches!(kv.get("p", key).await, Err(KvError::Key(_))), "{key:?}");
    }
    kv.delete("p", "a").await.unwrap();
    kv.set("p", &"k".repeat(9), b"x").await.unwrap();
}

async fn keys_come_in_pages(place: Place) {
    let kv = Kv::new(place.open().await);
    for number in 0..1005 {
        kv.set("p", &format!("k{number:04}"), b"").await.unwrap();
    }
    let page = kv.keys("p", "k", None).await.unwrap();
    assert_eq!(page.len(), 1000);
    let rest = kv.keys("p", "k", page.last().map(String::as_str)).await.unwrap();
    assert_eq!(rest, ["k1000", "k1001", "k1002", "k1003", "k1004"]);
}
