//! Reads and writes the lock file.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{File, Permissions},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use callboard_model::rights::Rights;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::Value;

use super::{Lock, Locked};
use crate::limits;

/// The version of the file that this code reads and writes.
const FORMAT: u64 = 1;

/// Why the lock file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The system does not let us.
    #[error("{path} cannot be {verb}: {error}")]
    Io {
        /// The file.
        path: String,
        /// Read or written.
        verb: &'static str,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is not what was written.
    #[error(
        "{path}:{line}:{column}: {reason}. Nothing that it approves is loaded; restore the file from version control, \
         or remove the lines of that plugin and run `callboard plugin update` for it"
    )]
    Malformed {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Another version of Callboard wrote it.
    #[error(
        "{path} has format {found}, and this version of Callboard knows format {FORMAT}: it was written by a later \
         one. Use that one, or remove the file and approve the plugins anew with `callboard plugin update`"
    )]
    Format {
        /// The file.
        path: String,
        /// The format that it says.
        found: u64,
    },
    /// It is far larger than any.
    #[error("{path} is larger than {} bytes, which no lock file is", limits::LOCK_BYTES)]
    TooLarge {
        /// The file.
        path: String,
    },
}

impl Lock {
    /// Reads the file. One that is not there approves nothing.
    ///
    /// # Errors
    /// It cannot be read, with the line and what to do.
    pub fn read(path: &Path) -> Result<Self, LockError> {
        let shown = || path.display().to_string();
        let failed = |error| LockError::Io { path: shown(), verb: "read", error };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        };
        let mut text = String::new();
        file.take(limits::LOCK_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
        if text.len() as u64 > limits::LOCK_BYTES {
            return Err(LockError::TooLarge { path: shown() });
        }
        Self::parse(&text, &shown())
    }

    /// Reads the text of a file, which is named in messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(text: &str, path: &str) -> Result<Self, LockError> {
        let malformed = |error: serde_json::Error| {
            let reason = error.to_string();
            // The place is said in the way of an editor instead.
            let place = format!(" at line {} column {}", error.line(), error.column());
            let reason = reason.strip_suffix(&place).unwrap_or(&reason).to_owned();
            LockError::Malformed { path: path.to_owned(), line: error.line(), column: error.column(), reason }
        };
        let Format { format } = serde_json::from_str(text).map_err(malformed)?;
        if format != FORMAT {
            return Err(LockError::Format { path: path.to_owned(), found: format });
        }
        let Written { plugins, .. } = serde_json::from_str(text).map_err(malformed)?;
        Ok(Self { plugins: plugins.0 })
    }

    /// The text of the file: always the same for the same content.
    ///
    /// # Errors
    /// None, as far as is known; the serializer's own type has them.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Out<'a> {
            format: u64,
            plugins: &'a BTreeMap<String, Locked>,
        }
        let mut text = serde_json::to_string_pretty(&Out { format: FORMAT, plugins: &self.plugins })?;
        text.push('\n');
        Ok(text)
    }

    /// Writes the file in the place of the one before, at once and whole. One that would be the same is left alone.
    ///
    /// # Errors
    /// The system does not let us; the file is then as it was.
    pub fn write(&self, path: &Path) -> Result<(), LockError> {
        let failed = |error| LockError::Io { path: path.display().to_string(), verb: "written", error };
        // Where it is a link, what it leads to is replaced, and not the link.
        let path: PathBuf = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let text = self.text().map_err(|error| failed(error.into()))?;
        if std::fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            return Ok(());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mode = std::fs::metadata(&path).map_or(0o644, |there| there.permissions().mode() & 0o777);
        let mut file = tempfile::Builder::new()
            .prefix(".callboard.lock.")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder)
            .map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        // The name, too, is to survive a power failure.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

/// The rights that are there, and nothing of those that are not: a right that a later version knows must not change the
/// lines of every plugin.
pub(super) fn rights<S: Serializer>(rights: &Rights, serializer: S) -> Result<S::Ok, S::Error> {
    let mut value = serde_json::to_value(rights).map_err(serde::ser::Error::custom)?;
    prune(&mut value);
    value.serialize(serializer)
}

/// Takes out what stands for nothing, and sorts lists.
fn prune(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(prune);
            fields.retain(|_, value| !is_nothing(value));
        }
        Value::Array(items) => {
            items.sort_by_cached_key(Value::to_string);
            items.dedup();
        }
        _ => {}
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Bool(is) => !is,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Null => true,
        _ => false,
    }
}

#[derive(Deserialize)]
struct Format {
    format: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "format")]
    _format: u64,
    plugins: Plugins,
}

/// Plugins by id. One that is there twice, as a merge may leave it, is an error: which of both was meant, nobody knows.
struct Plugins(BTreeMap<String, Locked>);

impl<'de> Deserialize<'de> for Plugins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> Visitor<'de> for Visit {
            type Value = Plugins;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("plugins by their ids")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Plugins, A::Error> {
                let mut plugins = BTreeMap::new();
                while let Some(id) = map.next_key::<String>()? {
                    if plugins.contains_key(&id) {
                        return Err(A::Error::custom(format!("the plugin {id} is there twice")));
                    }
                    plugins.insert(id, map.next_value()?);
                }
                Ok(Plugins(plugins))
            }
        }

        deserializer.deserialize_map(Visit)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Digest, SignedBy};

    fn lock() -> Lock {
        let rights: Rights = serde_json::from_value(json!({
            "log": true,
            "http": ["GET https://b.example.com", "GET https://a.example.com"],
            "catalog": {"kinds": ["API"]},
        }))
        .unwrap();
        let s3 = Locked {
            source: "oci://ghcr.io/acme/s3".to_owned(),
            requirement: Some("^1.2".parse().unwrap()),
            version: "1.2.3+4".parse().unwrap(),
            digest: Digest::of(b"component"),
            manifest: Some(Digest::of(b"manifest")),
            rights,
            signed_by: Some(SignedBy::Identity {
                issuer: "https://token.actions.githubusercontent.com".to_owned(),
                subject: "https://github.com/acme/s3/.github/workflows/release.yml@refs/tags/v1.2.3".to_owned(),
            }),
            held: None,
        };
        let jira = Locked {
            source: "https://example.com/jira.wasm".to_owned(),
            requirement: None,
            version: "0.1.0".parse().unwrap(),
            digest: Digest::of(b"jira"),
            manifest: None,
            rights: Rights::default(),
            signed_by: Some(SignedBy::Key(Digest::of(b"key"))),
            held: None,
        };
        Lock { plugins: BTreeMap::from([("s3".to_owned(), s3), ("jira".to_owned(), jira)]) }
    }

    const TEXT: &str = r#"{
  "format": 1,
  "plugins": {
    "jira": {
      "source": "https://example.com/jira.wasm",
      "version": "0.1.0",
      "digest": "sha256:f4f2d5ad34dbbd92eae171b2a5e0cb5a3c4dcd4a2a9dd9b2d2d8a4bb8b3b9c3f",
      "rights": {},
      "signed-by": {
        "key": "sha256:2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"
      }
    },
    "s3": {
      "source": "oci://ghcr.io/acme/s3",
      "requirement": "^1.2",
      "version": "1.2.3+4",
      "digest": "sha256:COMPONENT",
      "manifest": "sha256:MANIFEST",
      "rights": {
        "catalog": {
          "kinds": [
            "API"
          ]
        },
        "http": [
          "GET https://a.example.com",
          "GET https://b.example.com"
        ],
        "log": true
      },
      "signed-by": {
        "identity": {
          "issuer": "https://token.actions.githubusercontent.com",
          "subject": "https://github.com/acme/s3/.github/workflows/release.yml@refs/tags/v1.2.3"
        }
      }
    }
  }
}
"#;

    fn text() -> String {
        TEXT.replace("f4f2d5ad34dbbd92eae171b2a5e0cb5a3c4dcd4a2a9dd9b2d2d8a4bb8b3b9c3f", &Digest::of(b"jira").hex())
            .replace("COMPONENT", &Digest::of(b"component").hex())
            .replace("MANIFEST", &Digest::of(b"manifest").hex())
    }

    #[test]
    fn one_way_to_write_it() {
        assert_eq!(lock().text().unwrap(), text());
        let read = Lock::parse(&text(), "callboard.lock").unwrap();
        assert_eq!(read.text().unwrap(), text());
        let rights = &read.plugins["s3"].rights;
        assert_eq!((rights.log, rights.kv, rights.http.len()), (true, false, 2));
        assert_eq!(Lock::parse(&Lock::default().text().unwrap(), "x").unwrap(), Lock::default());
    }

    #[test]
    fn what_cannot_be_read() {
        fn check(text: &str, parts: &[&str]) {
            let error = Lock::parse(text, "callboard.lock").expect_err(text).to_string();
            for part in parts {
                assert!(error.contains(part), "{part}: {error}");
            }
            assert!(error.contains("callboard plugin update"), "{error}");
        }
        let text = text();
        check("", &["callboard.lock:1:0:", "EOF"]);
        check("{\n  \"plugins\": {}\n}", &["callboard.lock:3:1:", "missing field `format`"]);
        check("{\"format\": 2, \"pinned\": []}", &["has format 2", "knows format 1"]);
        check("{\"format\": \"1\", \"plugins\": {}}", &["callboard.lock:1:", "invalid type"]);
        check("{\"format\": 1, \"plugins\": {}, \"more\": 1}", &["unknown field `more`"]);
        check("{\"format\": 1}", &["missing field `plugins`"]);
        check(&text.replace("\"0.1.0\"", "\"0.1\""), &["callboard.lock:6:", "version"]);
        check(&text.replace("sha256:2c70", "sha256:2C70"), &["callboard.lock:11:", "not a digest"]);
        check(&text.replace("\"log\": true", "\"lgo\": true"), &["callboard.lock:29:", "unknown field `lgo`"]);
        check(&text.replace("GET https://a.example.com", "GET nowhere"), &["callboard.lock:27:"]);
        check(&text.replace("\"jira\": {", "\"s3\": {"), &["the plugin s3 is there twice"]);
        check(&text.replace("      \"version\": \"0.1.0\",\n", ""), &["missing field `version`"]);
    }

    #[test]
    fn written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("callboard.lock");
        assert_eq!(Lock::read(&path).unwrap(), Lock::default());
        lock().write(&path).unwrap();
        assert_eq!(Lock::read(&path).unwrap().text().unwrap(), text());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o600, 0o600);

        let before = std::fs::metadata(&path).unwrap().modified().unwrap();
        lock().write(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), before, "the same is not written again");

        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        Lock::default().write(&link).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(Lock::read(&path).unwrap(), Lock::default());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 2, "nothing is left over");

        let error = lock().write(&folder.path().join("no/such/callboard.lock")).unwrap_err();
        assert!(error.to_string().contains("cannot be written"), "{error}");
    }
}
