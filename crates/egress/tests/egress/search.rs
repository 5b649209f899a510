//! Patterns: what is listed for them, within which bounds, and what cannot be searched.

use std::time::Duration;

use callboard_egress::{Egress, Limits, ReadError, Search, Settings, UrlReader};
use serde_json::{Value, json};
use url::Url;

use crate::support::{Reply, Seen, Server, quick, sigv4::verify};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn reader(server: &Server, limits: Limits) -> UrlReader {
    let integrations = json!({"awsS3": {
        "endpoint": server.url, "s3ForcePathStyle": true, "accessKeyId": "AKIDEXAMPLE0000", "secretAccessKey": SECRET
    }});
    let allow = json!({"allow": [{"host": "plain.example"}]});
    let settings = Settings::from_values(&allow, &integrations, &Value::Null).unwrap();
    Egress::new(Settings { limits, ..settings }).unwrap().reader()
}

/// A page of a listing, keys and ETags as they are written.
fn page(objects: &[(&str, &str)], next: Option<&str>) -> String {
    let contents: String = objects
        .iter()
        .map(|(key, etag)| {
            format!("<Contents><Key>{key}</Key><ETag>&quot;{etag}&quot;</ETag><Size>1</Size></Contents>")
        })
        .collect();
    let next = next.map_or(String::new(), |next| {
        format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>")
    });
    format!("<ListBucketResult><EncodingType>url</EncodingType>{next}{contents}</ListBucketResult>")
}

fn parameter(seen: &Seen, name: &str) -> Option<String> {
    let url = Url::parse(&format!("http://x{}", seen.target)).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn found(search: Search) -> Vec<(String, String)> {
    match search {
        Search::Found(found) => found.files.into_iter().map(|file| (file.url.to_string(), file.version)).collect(),
        Search::Unchanged => panic!("unchanged"),
    }
}

#[tokio::test]
async fn objects_that_match() {
    let server = Server::start(|seen| match parameter(seen, "continuation-token").as_deref() {
        None => {
            let first = [
                ("teams%2Fa%2Finfo.yaml", "1"),
                ("teams%2Fa%2Freadme.md", "2"),
                ("teams%2Fb+c%2Fx%2Finfo.yaml", "3"),
                ("teams%2Fstar%2A%2Finfo.yaml", "4"),
            ];
            Reply::new(200, page(&first, Some("1/x+y==")))
        }
        Some("1/x+y==") => {
            let odd = [
                ("teams%2F%C3%BCber%2Finfo.yaml", "5"),
                ("teams%2Finfo.yaml", "6"),
                ("teams%2Finfo.yaml%2F", "7"),
                ("teams%2Fx%2F..%2Finfo.yaml", "8"),
                ("teams%2F.git%2Finfo.yaml", "9"),
            ];
            Reply::new(200, page(&odd, None))
        }
        _ => Reply::new(400, ""),
    })
    .await;
    let reader = reader(&server, quick());
    let pattern = server.at("/bucket/teams/**/info.yaml");
    let search = reader.search(&pattern, None).await.unwrap();
    let Search::Found(listing) = &search else { panic!("unchanged") };
    let validator = listing.validator.clone();
    let object =
        |path: &str, version: &str| (server.at(&format!("/bucket/teams/{path}")).to_string(), version.to_owned());
    assert_eq!(
        found(search),
        [
            object("%C3%BCber/info.yaml", "5"),
            object("a/info.yaml", "1"),
            object("b%20c/x/info.yaml", "3"),
            object("info.yaml", "6"),
            object("star%2A/info.yaml", "4"),
        ]
    );
    let seen = server.seen();
    assert_eq!(seen.len(), 2, "one request a page");
    for request in &seen {
        verify(request, SECRET);
        assert!(request.target.starts_with("/bucket/?"), "{}", request.target);
        assert_eq!(parameter(request, "prefix").as_deref(), Some("teams/"));
    }
    // The same listing is the same.
    assert!(matches!(reader.search(&pattern, Some(&validator)).await, Ok(Search::Unchanged)));
    assert_eq!(server.seen().len(), 4);
    // Part of a name before the wildcard narrows the listing down.
    reader.search(&server.at("/bucket/teams/a-*"), None).await.unwrap();
    assert_eq!(parameter(&server.seen()[4], "prefix").as_deref(), Some("teams/a-"));
}

#[tokio::test]
async fn what_tells_a_change() {
    let versions = std::sync::Arc::new(std::sync::Mutex::new(vec![("a", "1")]));
    let shown = std::sync::Arc::clone(&versions);
    let server = Server::start(move |_| Reply::new(200, page(&shown.lock().unwrap(), None))).await;
    let reader = reader(&server, quick());
    let pattern = server.at("/bucket/*");
    let mut known = None;
    for objects in [vec![("a", "1")], vec![("a", "2")], vec![("a", "2"), ("b", "1")], vec![("b", "1")], vec![]] {
        *versions.lock().unwrap() = objects.clone();
        let Search::Found(found) = reader.search(&pattern, known.as_ref()).await.unwrap() else {
            panic!("{objects:?} is seen as unchanged")
        };
        assert_eq!(found.files.len(), objects.len());
        known = Some(found.validator);
        assert!(matches!(reader.search(&pattern, known.as_ref()).await, Ok(Search::Unchanged)));
    }
}

#[tokio::test]
async fn bounds() {
    let objects: Vec<(&str, &str)> = vec![("a", "1"); 10];
    let server = Server::start(move |seen| match seen.target.split('?').next().unwrap() {
        "/hanging/" => Reply { silent: true, ..Reply::default() },
        _ => Reply::new(200, page(&objects, Some("more"))),
    })
    .await;
    let check = async |limits: Limits, path: &str, part: &str| {
        let before = server.seen().len();
        let error = reader(&server, limits).search(&server.at(path), None).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(part) && text.contains(server.at(path).as_str()), "{text}");
        (error, server.seen().len() - before)
    };
    // A listing that never ends does.
    let few = Limits { search_keys: 35, ..quick() };
    let (error, requests) = check(few, "/bucket/*", "leads through more than 35 objects").await;
    assert!(matches!(error, ReadError::TooMany { .. }) && !error.is_transient());
    assert_eq!(requests, 4);
    let small = Limits { search_bytes: 2000, ..quick() };
    let (_, requests) = check(small, "/bucket/*", "2000 bytes of listing; begin the pattern in a smaller folder").await;
    assert_eq!(requests, 3);
    let short = Limits { search_timeout: Duration::from_millis(50), ..quick() };
    let (error, _) = check(short, "/hanging/*", "took longer").await;
    assert!(error.is_transient());
}

#[tokio::test]
async fn errors() {
    let server = Server::start(|seen| match seen.target.split('?').next().unwrap() {
        "/denied/" => Reply::new(403, "<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"),
        "/missing/" => Reply::new(404, "<Error><Code>NoSuchBucket</Code></Error>"),
        "/slow/" => Reply::new(503, "<Error><Code>SlowDown</Code></Error>"),
        "/moved/" => Reply::to(307, "http://169.254.169.254/"),
        "/odd/" => Reply::new(200, "<html></html>"),
        _ => Reply::new(200, page(&[], Some("more")).replace("NextContinuationToken", "Other")),
    })
    .await;
    let reader = reader(&server, quick());
    let check = async |url: Url, part: &str| {
        let error = reader.search(&url, None).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(part) && !text.contains(SECRET), "{url}: {text}");
        error
    };
    let denied = "403 Forbidden: AccessDenied: No.; a pattern needs the right to list the bucket (s3:ListBucket)";
    assert!(!check(server.at("/denied/*"), denied).await.is_transient());
    assert!(matches!(check(server.at("/missing/*"), "NoSuchBucket").await, ReadError::NotFound { .. }));
    let before = server.seen().len();
    assert!(matches!(check(server.at("/slow/*"), "SlowDown").await, ReadError::Throttled { .. }));
    assert_eq!(server.seen().len() - before, 5, "it is asked again after a while");
    check(server.at("/moved/*"), "307 Temporary Redirect").await;
    check(server.at("/odd/*"), "not a listing of S3's").await;
    check(server.at("/bucket/*"), "does not say where").await;
    check(server.at("/bucket/[*"), "not a pattern").await;
    // The bucket is no part of a pattern: it would choose the credential.
    let before = server.seen().len();
    for path in ["/*/a.yaml", "/buck*/a.yaml", "/**"] {
        assert!(matches!(check(server.at(path), "is a pattern, and 127.0.0.1").await, ReadError::NotSearchable { .. }));
    }
    // What is not listed cannot be searched, whether it may be read or not.
    for host in ["plain.example", "elsewhere.example", "github.com"] {
        let url = Url::parse(&format!("https://{host}/a/blob/main/**/info.yaml?token=hunter2")).unwrap();
        let words = format!("https://{host}/a/blob/main/**/info.yaml?… is a pattern, and {host} is read file by file");
        let error = check(url, &words).await;
        assert!(matches!(error, ReadError::NotSearchable { .. }) && !error.is_transient());
        assert!(error.to_string().contains("Name each file") && !error.to_string().contains("hunter2"), "{error}");
    }
    assert_eq!(server.seen().len(), before);
}
