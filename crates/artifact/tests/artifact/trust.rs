//! Signatures that hold, and those that do not.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use callboard_artifact::{
    Digest, SignedBy,
    limits::BUNDLE_BYTES,
    oci::{FoundBundles, Manifest},
    trust::{PublicKey, Requirement, SigningKey, Subject, Trust, TrustError, TrustRoot},
};
use rcgen::ExtendedKeyUsagePurpose;
use serde_json::{Value, json};

use crate::{
    sigstore::{ISSUER, NOON, SUBJECT, Signing, Sigstore},
    support::{Plugin, ecdsa_key, ed25519_key},
};

const COMPONENT: &[u8] = b"component";

fn manifest() -> Manifest {
    Manifest::new(Plugin::new(COMPONENT).manifest)
}

fn found(bundle: impl Into<Bytes>) -> FoundBundles {
    FoundBundles { bundles: vec![bundle.into()], passed_over: Vec::new() }
}

/// Fails with the text of why the only bundle was refused.
fn refused(trust: &Trust, manifest: Option<&Manifest>, bundle: impl Into<Bytes>, part: &str) {
    match trust.verify(COMPONENT, manifest, &found(bundle)) {
        Err(TrustError::Untrusted { reasons, .. }) => {
            assert_eq!(reasons.len(), 1, "{reasons:?}");
            assert!(reasons[0].contains(part), "{part}: {reasons:?}");
        }
        other => panic!("{part}: {other:?}"),
    }
}

fn by_key(key: &SigningKey) -> Trust {
    Trust::new(vec![Requirement::Key(PublicKey::from_pem(key.public_pem()).unwrap())], None).unwrap()
}

#[test]
fn by_key_of_either_kind() {
    for pem in [ecdsa_key(), ed25519_key()] {
        let key = SigningKey::from_pem(&pem).unwrap();
        let other = SigningKey::from_pem(&ecdsa_key()).unwrap();
        let (trust, manifest) = (by_key(&key), manifest());
        let by = Some(SignedBy::Key(key.public_key().unwrap().digest()));
        let artefact = key.sign_artefact(&manifest);
        let component = key.sign_component(COMPONENT);
        assert_eq!(trust.verify(COMPONENT, Some(&manifest), &found(artefact.clone())), Ok(by.clone()));
        assert_eq!(trust.verify(COMPONENT, None, &found(component.clone())), Ok(by.clone()));
        let shown = format!("{key:?}");
        assert!(!shown.contains("PRIVATE") && pem.lines().all(|line| !shown.contains(line)), "{shown}");

        refused(&by_key(&other), Some(&manifest), artefact.clone(), "not signed with that key");
        refused(&by_key(&other), None, component.clone(), "not signed with that key");
        let others = Manifest::new(Plugin::with(COMPONENT, |value| value["x"] = json!(1)).manifest);
        refused(&trust, Some(&others), artefact.clone(), "signature of another artefact");
        refused(&trust, None, key.sign_component(b"other"), "something else");
        // The one does not stand for the other.
        refused(&trust, None, artefact.clone(), "signature of another component");
        refused(&trust, Some(&manifest), component.clone(), "");

        let change = |bundle: &Bytes, change: &dyn Fn(&mut Value)| {
            let mut value: Value = serde_json::from_slice(bundle).unwrap();
            change(&mut value);
            value.to_string()
        };
        let check =
            |edit: &dyn Fn(&mut Value), part: &str| refused(&trust, Some(&manifest), change(&artefact, edit), part);
        check(&|value| value["dsseEnvelope"]["payloadType"] = json!("text/plain"), "not signed with that key");
        check(&|value| value["dsseEnvelope"]["payload"] = json!(STANDARD.encode("{}")), "not signed with that key");
        check(&|value| value["dsseEnvelope"]["signatures"] = json!([]), "more or fewer signatures");
        check(&|value| value["dsseEnvelope"]["signatures"][0]["sig"] = json!(""), "not signed with that key");
        check(&|value| value["dsseEnvelope"]["signatures"][0]["sig"] = json!("!"), "cannot be read");
        check(&|value| value["mediaType"] = json!("application/json"), "something else");
        check(&|value| value["verificationMaterial"] = json!({}), "with a certificate, not with a key");
        check(&|value| value["verificationMaterial"]["certificate"] = json!({}), "with a certificate, not with a key");
        check(&|value| value["messageSignature"] = json!({"signature": "MAA="}), "no signature, or several");
        check(&|value| drop(value.as_object_mut().unwrap().remove("dsseEnvelope")), "no signature, or several");
        // Who signed it is not what the bundle says.
        let hinted = change(&artefact, &|value| value["verificationMaterial"]["publicKey"]["hint"] = json!("x"));
        assert_eq!(trust.verify(COMPONENT, Some(&manifest), &found(hinted)), Ok(by.clone()));

        let half = artefact.slice(..artefact.len() / 2);
        refused(&trust, Some(&manifest), half, "cannot be read");
        refused(&trust, Some(&manifest), Bytes::new(), "cannot be read");
        refused(&trust, Some(&manifest), "[".repeat(100_000), "cannot be read");
        let large = format!("{}{}", " ".repeat(10 << 20), String::from_utf8(artefact.to_vec()).unwrap());
        refused(&trust, Some(&manifest), large, &format!("no more than {BUNDLE_BYTES}"));

        // One that is wrong does not stand in the way of one that is right.
        let both = FoundBundles { bundles: vec![other.sign_artefact(&manifest), artefact], passed_over: Vec::new() };
        assert_eq!(trust.verify(COMPONENT, Some(&manifest), &both), Ok(by));
    }
}

#[test]
fn without_a_signature() {
    let key = SigningKey::from_pem(&ecdsa_key()).unwrap();
    let nothing = FoundBundles { bundles: Vec::new(), passed_over: vec!["one was too large".to_owned()] };
    let error = by_key(&key).verify(COMPONENT, None, &nothing).unwrap_err().to_string();
    for part in ["it is not signed", "one was too large", "callboard plugin sign", "the key sha256:"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(Trust::default().verify(COMPONENT, None, &nothing), Ok(None));
    // A manifest must be that of the component, whether or not a signature is required.
    let error = Trust::default().verify(b"other", Some(&manifest()), &nothing).unwrap_err();
    assert!(matches!(error, TrustError::OtherComponent { got, .. } if got == Digest::of(b"other")));
}

#[test]
fn keys_that_are_none() {
    let check = |pem: &str, part: &str| {
        let error = SigningKey::from_pem(pem).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    let pem = ecdsa_key();
    check("", "no private key");
    check(&pem.replace("PRIVATE KEY", "ENCRYPTED SIGSTORE PRIVATE KEY"), "encrypted");
    check(&pem.replace("PRIVATE KEY", "EC PRIVATE KEY"), "older form");
    check(&pem.replace("PRIVATE KEY", "PUBLIC KEY"), "no private key");
    check("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "of a kind");
    assert!(PublicKey::from_pem(&pem).unwrap_err().to_string().contains("private key, which does not belong"));
}

fn by_identity(sigstore: &Sigstore, issuer: &str, subject: &str) -> Trust {
    let root = TrustRoot::from_json(&sigstore.trusted_root().to_string()).unwrap();
    let subject = Subject::parse(subject).unwrap();
    Trust::new(vec![Requirement::Identity { issuer: issuer.to_owned(), subject }], Some(root)).unwrap()
}

#[test]
fn by_identity_what_holds() {
    let sigstore = Sigstore::new();
    let manifest = manifest();
    let check = |signing: &Signing<'_>, required: &str| {
        let trust = by_identity(&sigstore, ISSUER, required);
        let by = Some(SignedBy::Identity { issuer: ISSUER.to_owned(), subject: signing.subject.to_owned() });
        let artefact = sigstore.sign_artefact(&manifest.bytes, signing).to_string();
        assert_eq!(trust.verify(COMPONENT, Some(&manifest), &found(artefact)), Ok(by.clone()));
        let component = sigstore.sign_component(COMPONENT, signing).to_string();
        assert_eq!(trust.verify(COMPONENT, None, &found(component)), Ok(by));
    };
    let plain = Signing::default();
    check(&plain, SUBJECT);
    check(&plain, "https://github.com/acme/s3/.github/workflows/release.yml@refs/tags/*");
    check(&Signing { predicate: "https://slsa.dev/provenance/v1", ..plain.clone() }, SUBJECT);
    check(&Signing { subject: "me@example.com", ..plain }, "me@example.com");
}

#[test]
fn by_identity_what_does_not() {
    let sigstore = Sigstore::new();
    let trust = by_identity(&sigstore, ISSUER, SUBJECT);
    let manifest = manifest();
    let check = |signing: &Signing<'_>, part: &str| {
        refused(&trust, Some(&manifest), sigstore.sign_artefact(&manifest.bytes, signing).to_string(), part);
        if signing.predicate == Signing::default().predicate {
            refused(&trust, None, sigstore.sign_component(COMPONENT, signing).to_string(), part);
        }
    };
    let plain = Signing::default();
    check(&Signing { issuer: "https://accounts.example.com", ..plain.clone() }, "issuer mismatch");
    check(&Signing { issuer: "https://token.actions.githubusercontent.COM", ..plain.clone() }, "issuer mismatch");
    let another = "https://github.com/evil/s3/.github/workflows/release.yml@refs/tags/v1.2.3";
    check(&Signing { subject: another, ..plain.clone() }, "is by https://github.com/evil/s3");
    let upper = SUBJECT.replace("acme", "Acme");
    check(&Signing { subject: &upper, ..plain.clone() }, "is by https://github.com/Acme/s3");
    check(&Signing { at: NOON + 3 * 86_400, ..plain.clone() }, "CertExpired");
    check(&Signing { at: NOON - 3 * 86_400, ..plain.clone() }, "CertNotValidYet");
    check(&Signing { purpose: ExtendedKeyUsagePurpose::ServerAuth, ..plain.clone() }, "chain is invalid");
    check(&Signing { is_seen_by_log: false, ..plain.clone() }, "missing SCT");
    check(
        &Signing { predicate: "https://spdx.dev/Document", ..plain.clone() },
        "something else than that it is signed",
    );

    // Somebody else's authority and logs, one at a time.
    let elsewhere = Sigstore::new();
    let theirs = elsewhere.sign_artefact(&manifest.bytes, &plain).to_string();
    refused(&trust, Some(&manifest), theirs.clone(), "does not hold");
    for (keep, part) in [
        (["tlogs", "ctlogs"], "chain is invalid"),
        (["tlogs", "certificateAuthorities"], "signed certificate timestamp"),
        (["ctlogs", "certificateAuthorities"], "log"),
    ] {
        let mut root = sigstore.trusted_root();
        for part in keep {
            root[part] = elsewhere.trusted_root()[part].clone();
        }
        let root = TrustRoot::from_json(&root.to_string()).unwrap();
        let subject = Subject::parse(SUBJECT).unwrap();
        let require = vec![Requirement::Identity { issuer: ISSUER.to_owned(), subject }];
        refused(&Trust::new(require, Some(root)).unwrap(), Some(&manifest), theirs.clone(), part);
    }
}

#[test]
fn by_identity_what_was_changed() {
    let sigstore = Sigstore::new();
    let trust = by_identity(&sigstore, ISSUER, SUBJECT);
    let manifest = manifest();
    let others = Manifest::new(Plugin::with(COMPONENT, |value| value["x"] = json!(1)).manifest);
    let good = sigstore.sign_artefact(&manifest.bytes, &Signing::default());
    refused(&trust, Some(&others), good.to_string(), "artifact mismatch");
    refused(&trust, None, good.to_string(), "artifact mismatch");
    let another = sigstore.sign_artefact(&manifest.bytes, &Signing::default());
    let check = |edit: &dyn Fn(&mut Value), part: &str| {
        let mut bundle = good.clone();
        edit(&mut bundle);
        assert_ne!(bundle, good, "{part}");
        refused(&trust, Some(&manifest), bundle.to_string(), part);
    };
    fn entry(bundle: &mut Value) -> &mut Value {
        &mut bundle["verificationMaterial"]["tlogEntries"][0]
    }
    let zeros = STANDARD.encode([0; 32]);
    check(&|value| drop(entry(value).as_object_mut().unwrap().remove("inclusionProof")), "inclusion proof");
    check(&|value| drop(entry(value).as_object_mut().unwrap().remove("inclusionPromise")), "timestamp");
    check(&|value| value["verificationMaterial"]["tlogEntries"] = json!([]), "Bundle error");
    check(&|value| entry(value)["inclusionProof"]["hashes"][0] = json!(zeros), "inclusion proof");
    check(&|value| entry(value)["inclusionProof"]["hashes"] = json!([]), "inclusion proof");
    check(&|value| entry(value)["inclusionProof"]["rootHash"] = json!(zeros), "does not hold");
    check(&|value| entry(value)["inclusionProof"]["logIndex"] = json!("0"), "inclusion proof");
    check(&|value| entry(value)["inclusionProof"]["checkpoint"]["envelope"] = json!("x"), "does not hold");
    check(
        &|value| {
            let note = &mut entry(value)["inclusionProof"]["checkpoint"]["envelope"];
            *note = json!(note.as_str().unwrap().replace("log.example.com\n2", "log.example.org\n2"));
        },
        "checkpoint",
    );
    check(&|value| entry(value)["integratedTime"] = json!((NOON + 1).to_string()), "inclusion promise");
    check(&|value| entry(value)["logIndex"] = json!("2"), "inclusion promise");
    check(&|value| entry(value)["logId"]["keyId"] = json!(zeros), "No log key");
    // The entry, the certificate and the signature of another bundle by the same.
    check(
        &|value| *entry(value) = another["verificationMaterial"]["tlogEntries"][0].clone(),
        "log entry does not match",
    );
    check(
        &|value| value["verificationMaterial"]["certificate"] = another["verificationMaterial"]["certificate"].clone(),
        "invalid signature",
    );
    check(&|value| value["dsseEnvelope"] = another["dsseEnvelope"].clone(), "invalid signature");
    check(&|value| value["dsseEnvelope"]["payload"] = json!(STANDARD.encode("{}")), "in-toto");
    check(&|value| value["verificationMaterial"]["certificate"]["rawBytes"] = json!("MAA="), "certificate");
    check(
        &|value| {
            let material = value["verificationMaterial"].as_object_mut().unwrap();
            material.remove("certificate");
            material.insert("publicKey".to_owned(), json!({"hint": "x"}));
        },
        "made with a key, not with a certificate",
    );
    let text = good.to_string();
    refused(&trust, Some(&manifest), text.as_bytes()[..text.len() / 2].to_vec(), "cannot be read");
    refused(&trust, Some(&manifest), format!("{}{text}", " ".repeat(10 << 20)), "no more than");
}

#[test]
fn trust_roots() {
    let root = Sigstore::new().trusted_root();
    let check = |edit: &dyn Fn(&mut Value), part: &str| {
        let mut root = root.clone();
        edit(&mut root);
        let error = TrustRoot::from_json(&root.to_string()).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("trusted_root.json"), "{part}: {error}");
    };
    check(&|root| root["tlogs"] = json!([]), "no log of signatures");
    check(&|root| root["ctlogs"] = json!([]), "no log of certificates");
    check(&|root| root["certificateAuthorities"] = json!([]), "no certificate authority");
    check(&|root| root["tlogs"][0]["publicKey"]["rawBytes"] = json!("MAA="), "no trust root");
    check(&|root| *root = json!([]), "no trust root");
    let require = vec![Requirement::Identity { issuer: "a".to_owned(), subject: Subject::parse("b").unwrap() }];
    assert!(Trust::new(require, None).unwrap_err().to_string().contains("plugins.trust.root"));
}

/// Either kind of requirement is enough, and the reason that is told is that of the kind that the bundle is of.
#[test]
fn one_of_several() {
    let sigstore = Sigstore::new();
    let key = SigningKey::from_pem(&ecdsa_key()).unwrap();
    let root = TrustRoot::from_json(&sigstore.trusted_root().to_string()).unwrap();
    let require = vec![
        Requirement::Key(key.public_key().unwrap()),
        Requirement::Identity { issuer: ISSUER.to_owned(), subject: Subject::parse("nobody").unwrap() },
    ];
    let trust = Trust::new(require, Some(root)).unwrap();
    let manifest = manifest();
    assert!(trust.verify(COMPONENT, Some(&manifest), &found(key.sign_artefact(&manifest))).unwrap().is_some());
    let by_other = sigstore.sign_artefact(&manifest.bytes, &Signing::default()).to_string();
    refused(&trust, Some(&manifest), by_other, "and not by nobody");
    let other = SigningKey::from_pem(&ecdsa_key()).unwrap();
    refused(&trust, Some(&manifest), other.sign_artefact(&manifest), "not signed with that key");
}
