//! The standard credential chain, each source in a process of its own, because the chain reads the environment.

use std::{collections::HashMap, path::Path, process::Stdio};

use callboard_egress::{Egress, Settings};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    roles::{Call, token_service},
    support::{Reply, Server, quick, sigv4::verify},
};

const BUCKET: &str = "CALLBOARD_TEST_BUCKET";
const PROFILE: &str = "CALLBOARD_TEST_PROFILE";

/// The other process: reads one object with whatever the chain finds. Does nothing when it is run among the tests.
#[tokio::test]
async fn child() {
    let Ok(bucket) = std::env::var(BUCKET) else { return };
    let integrations = json!({"awsS3": {"endpoint": bucket, "s3ForcePathStyle": true}});
    let aws = std::env::var(PROFILE).map_or(Value::Null, |profile| json!({"mainAccount": {"profile": profile}}));
    let mut settings = Settings::from_values(&Value::Null, &integrations, &aws).unwrap();
    settings.limits = quick();
    let url = format!("{bucket}bucket/key").parse().unwrap();
    match Egress::new(settings).unwrap().reader().read(&url, None).await {
        Ok(_) => println!("seen: read"),
        Err(error) => println!("seen: {error}"),
    }
}

/// Runs the child in an environment of its own; says what it saw.
async fn run(bucket: &Server, home: &Path, environment: &[(&str, &str)]) -> String {
    let mut variables: HashMap<&str, &str> = HashMap::from([
        ("AWS_EC2_METADATA_DISABLED", "true"),
        // No proxy of the environment is used: this one would answer nothing.
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("http_proxy", "http://127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:1"),
    ]);
    variables.extend(environment.iter().copied());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["chain::child", "--exact", "--nocapture"])
        .env_clear()
        .env("HOME", home)
        .env(BUCKET, bucket.url.as_str())
        .envs(variables)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let (_, seen) = text.split_once("seen: ").unwrap_or_else(|| panic!("{text}"));
    seen.lines().next().unwrap().to_owned()
}

async fn bucket() -> Server {
    Server::start(|_| Reply::new(200, "text")).await
}

fn signed_by(bucket: &Server, secret: &str) -> String {
    verify(&bucket.seen().pop().unwrap(), secret).access_key_id
}

#[tokio::test]
async fn environment() {
    let (bucket, home) = (bucket().await, tempfile::tempdir().unwrap());
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "env"), ("AWS_SESSION_TOKEN", "token")];
    assert_eq!(run(&bucket, home.path(), &keys).await, "read");
    assert_eq!(signed_by(&bucket, "env"), "AKIDENV");
    assert_eq!(bucket.seen()[0].header("x-amz-security-token"), "token");
}

#[tokio::test]
async fn profile_files() {
    let (bucket, home) = (bucket().await, tempfile::tempdir().unwrap());
    let sts = token_service("2999-01-01T00:00:00Z").await;
    let folder = home.path().join(".aws");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(
        folder.join("credentials"),
        "[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = default\n\
         [ops]\naws_access_key_id = AKIDOPS\naws_secret_access_key = ops\n",
    )
    .unwrap();
    std::fs::write(
        folder.join("config"),
        "[profile by-role]\nrole_arn = arn:aws:iam::123456789012:role/profiled\nsource_profile = ops\n",
    )
    .unwrap();
    assert_eq!(run(&bucket, home.path(), &[]).await, "read");
    assert_eq!(signed_by(&bucket, "default"), "AKIDDEFAULT");
    assert_eq!(run(&bucket, home.path(), &[("AWS_PROFILE", "ops")]).await, "read");
    assert_eq!(signed_by(&bucket, "ops"), "AKIDOPS");
    assert_eq!(run(&bucket, home.path(), &[(PROFILE, "ops")]).await, "read");
    assert_eq!(signed_by(&bucket, "ops"), "AKIDOPS");
    let by_role = [(PROFILE, "by-role"), ("AWS_ENDPOINT_URL_STS", sts.url.as_str())];
    assert_eq!(run(&bucket, home.path(), &by_role).await, "read");
    assert_eq!(signed_by(&bucket, "temporary/secret+key"), "ASIA-profiled");
}

#[tokio::test]
async fn web_identity() {
    let (bucket, home) = (bucket().await, tempfile::tempdir().unwrap());
    let sts = token_service("2999-01-01T00:00:00Z").await;
    let token = home.path().join("token");
    std::fs::write(&token, "the-identity-token").unwrap();
    let environment = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/by-token"),
        ("AWS_ENDPOINT_URL_STS", sts.url.as_str()),
    ];
    assert_eq!(run(&bucket, home.path(), &environment).await, "read");
    assert_eq!(signed_by(&bucket, "temporary/secret+key"), "ASIA-by-token");
    let call = Call::of(&sts.seen()[0]);
    assert_eq!(call.get("Action"), "AssumeRoleWithWebIdentity");
    assert_eq!(call.get("WebIdentityToken"), "the-identity-token");
}

fn metadata(id: &str) -> Reply {
    let document = json!({
        "Code": "Success", "LastUpdated": "2026-01-01T00:00:00Z", "Type": "AWS-HMAC", "AccessKeyId": id,
        "SecretAccessKey": "metadata", "Token": "token", "Expiration": "2999-01-01T00:00:00Z"
    });
    Reply::new(200, document.to_string()).with("content-type", "application/json")
}

#[tokio::test]
async fn container() {
    let (bucket, home) = (bucket().await, tempfile::tempdir().unwrap());
    let agent = Server::start(|seen| match seen.header("authorization") {
        "agent-token" => metadata("ASIACONTAINER"),
        _ => Reply::new(401, ""),
    })
    .await;
    let url = agent.at("/v1/credentials");
    let environment =
        [("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "agent-token")];
    assert_eq!(run(&bucket, home.path(), &environment).await, "read");
    assert_eq!(signed_by(&bucket, "metadata"), "ASIACONTAINER");
}

#[tokio::test]
async fn instance() {
    let (bucket, home) = (bucket().await, tempfile::tempdir().unwrap());
    let imds = Server::start(|seen| match seen.target.as_str() {
        "/latest/api/token" => Reply::new(200, "imds-token").with("x-aws-ec2-metadata-token-ttl-seconds", "21600"),
        _ if seen.header("x-aws-ec2-metadata-token") != "imds-token" => Reply::new(401, ""),
        path if path.ends_with("/machine-role") => metadata("ASIAINSTANCE"),
        path if path.contains("/iam/security-credentials") => Reply::new(200, "machine-role"),
        _ => Reply::new(404, ""),
    })
    .await;
    let environment =
        [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.url.as_str())];
    assert_eq!(run(&bucket, home.path(), &environment).await, "read");
    assert_eq!(signed_by(&bucket, "metadata"), "ASIAINSTANCE");
}

#[tokio::test]
async fn nothing() {
    let (bucket, home) = (bucket().await, tempfile::tempdir().unwrap());
    let seen = run(&bucket, home.path(), &[]).await;
    for part in ["/bucket/key", "AWS_ACCESS_KEY_ID", "`integrations.awsS3`"] {
        assert!(seen.contains(part), "{seen}");
    }
    assert!(bucket.seen().is_empty());
}
