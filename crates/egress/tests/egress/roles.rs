//! Roles and accounts, against a token service on this machine.

use callboard_egress::{Egress, Read, Request, S3Binding, Settings};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::support::{NAMED, Reply, Seen, Server, get, quick, sigv4::verify, text};

const TEMPORARY: &str = "temporary/secret+key";

/// Answers as the API reference of AWS STS shows it. The keys carry the role's name, so that their use can be told.
pub(crate) async fn token_service(expiration: &'static str) -> Server {
    Server::start(move |seen| {
        let call = Call::of(seen);
        match call.get("Action") {
            "AssumeRole" | "AssumeRoleWithWebIdentity" if call.get("RoleArn").ends_with("/denied") => Reply::new(
                403,
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                 <Code>AccessDenied</Code><Message>you may not assume it</Message></Error></ErrorResponse>",
            ),
            action @ ("AssumeRole" | "AssumeRoleWithWebIdentity") => {
                let role = call.get("RoleArn");
                let name = role.rsplit('/').next().unwrap();
                Reply::new(
                    200,
                    format!(
                        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
                         <AssumedRoleUser><AssumedRoleId>ARO:callboard</AssumedRoleId><Arn>{role}</Arn></AssumedRoleUser>\
                         <Credentials><AccessKeyId>ASIA-{name}</AccessKeyId><SecretAccessKey>{TEMPORARY}</SecretAccessKey>\
                         <SessionToken>token/of+{name}==</SessionToken><Expiration>{expiration}</Expiration></Credentials>\
                         </{action}Result></{action}Response>"
                    ),
                )
            }
            "GetCallerIdentity" => Reply::new(
                200,
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                 <GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/x</Arn><UserId>AIDA</UserId>\
                 <Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
            ),
            other => panic!("{other}"),
        }
        .with("content-type", "text/xml")
    })
    .await
}

const FAR: &str = "2999-01-01T00:00:00Z";

/// The parameters of a call.
pub(crate) struct Call(Vec<(String, String)>);

impl Call {
    pub(crate) fn of(seen: &Seen) -> Self {
        Self(form_urlencoded::parse(&seen.body).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

async fn bucket() -> Server {
    Server::start(|seen| Reply::new(200, seen.header("authorization").to_owned() + seen.header("x-amz-security-token")))
        .await
}

fn egress(bucket: &Server, sts: &Server, integration: Value, aws: Value) -> Egress {
    let mut integration = integration;
    integration["endpoint"] = json!(bucket.url);
    integration["s3ForcePathStyle"] = json!(true);
    let mut settings = Settings::from_values(&Value::Null, &json!({"awsS3": [integration]}), &aws).unwrap();
    settings.aws_accounts.sts_endpoint = Some(sts.url.clone());
    settings.limits = quick();
    Egress::new(settings).unwrap()
}

#[tokio::test]
async fn the_role_of_an_integration() {
    let (sts, bucket) = (token_service(FAR).await, bucket().await);
    let integration = json!({
        "accessKeyId": "AKIDBASE", "secretAccessKey": "base", "roleArn": "arn:aws:iam::123456789012:role/reader",
        "externalId": "ext-1", "region": "eu-central-1"
    });
    let egress = egress(&bucket, &sts, integration, Value::Null);
    for key in ["a", "b", "c"] {
        let read = egress.reader().read(&bucket.at(&format!("/bucket/{key}")), None).await.unwrap();
        let Read::Content(content) = read else { panic!("unchanged") };
        let body = String::from_utf8(content.body.to_vec()).unwrap();
        assert!(!body.contains("ASIA-reader") && !body.contains("token/of"), "{body}");
        let seen = bucket.seen().pop().unwrap();
        let signed = verify(&seen, TEMPORARY);
        assert_eq!((signed.access_key_id.as_str(), signed.region.as_str()), ("ASIA-reader", "eu-central-1"));
        assert!(signed.signed_headers.ends_with(";x-amz-security-token"));
        assert_eq!(seen.header("x-amz-security-token"), "token/of+reader==");
    }
    let [call] = &sts.seen()[..] else { panic!("one session serves all requests: {:?}", sts.seen()) };
    assert!(call.header("authorization").contains("Credential=AKIDBASE/"));
    assert!(call.header("authorization").contains("/eu-central-1/sts/"));
    let call = Call::of(call);
    assert_eq!(call.get("RoleArn"), "arn:aws:iam::123456789012:role/reader");
    assert_eq!(call.get("ExternalId"), "ext-1");
    assert_eq!(call.get("RoleSessionName"), "callboard");
}

#[tokio::test]
async fn a_session_that_ended_is_renewed() {
    let (sts, bucket) = (token_service("2001-01-01T00:00:00Z").await, bucket().await);
    let integration = json!({
        "accessKeyId": "AKIDBASE", "secretAccessKey": "base", "roleArn": "arn:aws:iam::123456789012:role/reader"
    });
    let egress = egress(&bucket, &sts, integration, Value::Null);
    for _ in 0..3 {
        egress.reader().read(&bucket.at("/bucket/key"), None).await.unwrap();
    }
    assert_eq!(sts.seen().len(), 3);
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed() {
    let (sts, bucket) = (token_service(FAR).await, bucket().await);
    let integration = json!({
        "accessKeyId": "AKIDBASE", "secretAccessKey": "base-secret", "roleArn": "arn:aws:iam::123456789012:role/denied"
    });
    let egress = egress(&bucket, &sts, integration, Value::Null);
    let error = egress.reader().read(&bucket.at("/bucket/key"), None).await.unwrap_err().to_string();
    for part in ["arn:aws:iam::123456789012:role/denied", "the access key in app-config", "you may not assume it"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!error.contains("base-secret") && !error.contains("AKIDBASE"), "{error}");
    assert!(bucket.seen().is_empty());
}

#[tokio::test]
async fn accounts() {
    let (sts, bucket) = (token_service(FAR).await, bucket().await);
    let aws = json!({
        "mainAccount": {"accessKeyId": "AKIDMAIN", "secretAccessKey": "main"},
        "accounts": [
            {"accountId": "123456789012", "roleName": "own", "externalId": "e", "partition": "aws-cn", "region": "cn-north-1"},
            {"accountId": 210987654321_u64, "accessKeyId": "AKIDOWN", "secretAccessKey": "own"},
            {"accountId": "333333333333", "roleName": "via-own", "accessKeyId": "AKIDOWN", "secretAccessKey": "own"}
        ]
    });
    let integration = json!({"accessKeyId": "AKIDREAD", "secretAccessKey": "read"});
    let plain = egress(&bucket, &sts, integration.clone(), aws.clone());
    let used = async |egress: &Egress, account: Option<&str>, name: &str| {
        let binding = S3Binding {
            bucket: name.to_owned(),
            account_id: account.map(str::to_owned),
            region: Some("eu-west-1".to_owned()),
            endpoint: None,
        };
        let credential = egress.sigv4_credential(binding).await.map_err(|error| error.to_string())?;
        let request = Request { credential: Some(credential), ..get(bucket.at(&format!("/{name}?list-type=2"))) };
        text(egress, request, &NAMED).await;
        let listed = key_of(&bucket.seen().pop().unwrap());
        // Whoever listed a bucket also reads its objects.
        egress.reader().read(&bucket.at(&format!("/{name}/key")), None).await.unwrap();
        assert_eq!(key_of(&bucket.seen().pop().unwrap()), listed);
        Ok::<String, String>(listed)
    };
    let ok = |id: &str| Ok(format!("{id}/eu-west-1"));
    assert_eq!(used(&plain, None, "bucket-a").await, ok("AKIDREAD"));
    assert_eq!(used(&plain, Some("210987654321"), "bucket-b").await, ok("AKIDOWN"));
    assert_eq!(used(&plain, Some("111122223333"), "bucket-c").await, ok("AKIDMAIN"));
    assert_eq!(used(&plain, Some("123456789012"), "bucket-d").await, ok("ASIA-own"));
    let call = sts.seen().pop().unwrap();
    assert!(call.header("authorization").contains("Credential=AKIDMAIN/"));
    assert_eq!(Call::of(&call).get("RoleArn"), "arn:aws-cn:iam::123456789012:role/own");
    assert_eq!(Call::of(&call).get("ExternalId"), "e");
    assert_eq!(used(&plain, Some("333333333333"), "bucket-e").await, ok("ASIA-via-own"));
    assert!(sts.seen().pop().unwrap().header("authorization").contains("Credential=AKIDOWN/"));
    let error = used(&plain, Some("999999999999"), "bucket-f").await.unwrap_err();
    assert!(error.contains("add `- accountId: '999999999999'`"), "{error}");

    let mut with_defaults = aws;
    with_defaults["accountDefaults"] = json!({"roleName": "default", "externalId": "d"});
    let with_defaults = egress(&bucket, &sts, integration, with_defaults);
    assert_eq!(used(&with_defaults, Some("999999999999"), "bucket-g").await, ok("ASIA-default"));
    let call = Call::of(&sts.seen().pop().unwrap());
    assert_eq!((call.get("RoleArn"), call.get("ExternalId")), ("arn:aws:iam::999999999999:role/default", "d"));
}

/// Whose key signed, and for which region.
fn key_of(seen: &Seen) -> String {
    let (_, credential) = seen.header("authorization").split_once("Credential=").unwrap();
    let parts: Vec<&str> = credential.split('/').collect();
    format!("{}/{}", parts[0], parts[2])
}
