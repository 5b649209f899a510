//! The tokens that the portal signs for its users, to the letter of Backstage's: ES256, with keys that change and that
//! whoever wants to check a token finds at `/api/auth/.well-known/jwks.json`.
//!
//! Private keys are only ever in memory. Each process signs with its own, and all of them know all public keys through
//! the database.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use callboard_model::entity_ref::EntityRef;
use callboard_store::{Db, Error, Migration, args, migrate, query};
use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::{Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use p256::pkcs8::EncodePrivateKey;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::external::LONGEST;

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "tokens",
    sqlite: include_str!("../../../migrations/tokens/0001.sqlite.sql"),
    postgres: include_str!("../../../migrations/tokens/0001.postgres.sql"),
}];

/// How long a token is valid, where `auth.backstageTokenExpiration` says nothing.
pub const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// What the header's `typ` says of a user's token, and of the limited one that can be made of it.
const USER: &str = "vnd.backstage.user";
const LIMITED: &str = "vnd.backstage.limited-user";

const AUDIENCE: &str = "backstage";

/// Signs and checks users' tokens. Cheap to clone.
#[derive(Clone)]
pub struct UserTokens {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    issuer: String,
    lifetime: Duration,
    signing: Mutex<Option<Signing>>,
    /// Public keys that were read once; they never change.
    known: Mutex<HashMap<String, (Jwk, i64)>>,
}

struct Signing {
    id: String,
    key: EncodingKey,
    /// Until when it signs, in milliseconds.
    until: i64,
}

/// A token for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The token itself.
    pub token: String,
    /// How long it is valid, in seconds.
    pub expires_in: u64,
}

/// What a good token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose it is.
    pub user: EntityRef,
    /// The session that it was made in, without which it is worth nothing.
    pub session: String,
}

/// Why no token is signed, or one is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The database.
    #[error(transparent)]
    Store(#[from] Error),
    /// A key cannot be made or used.
    #[error("the token cannot be signed: {0}")]
    Sign(String),
    /// It is a cookie's token, which is for some paths only.
    #[error("Illegal limited user token")]
    Limited,
    /// It is none of ours, or no longer good.
    #[error("Illegal token")]
    Illegal,
}

#[derive(Deserialize, Serialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    iat: i64,
    exp: i64,
    /// The signature of the limited token for the same user and time.
    uip: String,
    /// Our own: the session.
    sid: String,
}

/// In the order in which whoever takes the limited token out of a user's writes them.
#[derive(Serialize)]
struct LimitedHeader<'a> {
    typ: &'a str,
    alg: &'a str,
    kid: &'a str,
}

#[derive(Serialize)]
struct LimitedClaims<'a> {
    sub: &'a str,
    iat: i64,
    exp: i64,
}

impl UserTokens {
    /// Brings the tables of all tokens up to date. The issuer is the address of `/api/auth`.
    ///
    /// # Errors
    /// The database fails, or is newer than this program.
    pub async fn open(db: Db, issuer: String, lifetime: Duration) -> Result<UserTokens, Error> {
        migrate(&db, "tokens", MIGRATIONS).await?;
        let (signing, known) = (Mutex::default(), Mutex::default());
        Ok(UserTokens { inner: Arc::new(Inner { db, issuer, lifetime, signing, known }) })
    }

    /// Who signs: the address of `/api/auth`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.inner.issuer
    }

    /// A token for the user of a session.
    ///
    /// # Errors
    /// The database fails.
    pub async fn issue(&self, user: &EntityRef, session: &str, now: DateTime<Utc>) -> Result<Issued, TokenError> {
        let mut signing = self.inner.signing.lock().await;
        let at = now.timestamp_millis();
        let current = match signing.take().filter(|signing| at < signing.until) {
            Some(current) => current,
            None => self.renew(at).await?,
        };
        let token = self.sign(&current, user, session, now);
        *signing = Some(current);
        Ok(Issued { token: token?, expires_in: self.inner.lifetime.as_secs() })
    }

    /// What a token says that one of this portal's processes signed.
    ///
    /// # Errors
    /// [`TokenError::Limited`] and [`TokenError::Illegal`], or the database fails.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Verified, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Illegal);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Illegal)?;
        match header.typ.as_deref() {
            Some(USER) => {}
            Some(LIMITED) => return Err(TokenError::Limited),
            _ => return Err(TokenError::Illegal),
        }
        let id = header.kid.ok_or(TokenError::Illegal)?;
        let key = self.key(&id, now.timestamp_millis()).await?.ok_or(TokenError::Illegal)?;
        let key = DecodingKey::from_jwk(&key).map_err(|_| TokenError::Illegal)?;
        let claims =
            jsonwebtoken::decode::<Claims>(token, &key, &self.validation()).map_err(|_| TokenError::Illegal)?;
        let claims = claims.claims;
        // Times are those of our own clock: no leeway.
        if claims.exp <= now.timestamp() || claims.iat > now.timestamp().saturating_add(60) {
            return Err(TokenError::Illegal);
        }
        let user = EntityRef::parse(&claims.sub, None, None).map_err(|_| TokenError::Illegal)?;
        Ok(Verified { user, session: claims.sid })
    }

    /// The public keys of all tokens that may still be valid, as a JSON Web Key Set.
    ///
    /// # Errors
    /// The database fails.
    pub async fn keys(&self, now: DateTime<Utc>) -> Result<Value, Error> {
        let select = "SELECT key FROM user_token_key WHERE expires_at > $1 ORDER BY expires_at DESC, id";
        let rows = self.inner.db.fetch_all(query(select, args![now.timestamp_millis()])).await?;
        let mut keys = Vec::new();
        for row in rows {
            let key: String = row.get(0)?;
            keys.extend(serde_json::from_str::<Value>(&key).ok());
        }
        Ok(json!({ "keys": keys }))
    }

    /// A new key to sign with for as long as a token lives. Its public part is known for three times as long.
    async fn renew(&self, now: i64) -> Result<Signing, TokenError> {
        let wrong = |error: &dyn std::fmt::Display| TokenError::Sign(error.to_string());
        let secret = loop {
            // All but one in four thousand million are keys.
            if let Ok(secret) = p256::SecretKey::from_slice(&rand::random::<[u8; 32]>()) {
                break secret;
            }
        };
        let der = secret.to_pkcs8_der().map_err(|error| wrong(&error))?;
        let key = EncodingKey::from_ec_der(der.as_bytes());
        let id = uuid::Uuid::new_v4().to_string();
        let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(|error| wrong(&error))?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        public.common.key_operations = Some(vec![KeyOperations::Verify]);
        let text = serde_json::to_string(&public).map_err(|error| wrong(&error))?;
        let lifetime = i64::try_from(self.inner.lifetime.as_millis()).unwrap_or(i64::MAX);
        let expires = now.saturating_add(lifetime.saturating_mul(3));
        let mut tx = self.inner.db.begin().await?;
        tx.execute(query("DELETE FROM user_token_key WHERE expires_at <= $1", args![now])).await?;
        let insert = "INSERT INTO user_token_key(id, key, expires_at) VALUES ($1, $2, $3)";
        tx.execute(query(insert, args![&id, text, expires])).await?;
        tx.commit().await?;
        Ok(Signing { id, key, until: now.saturating_add(lifetime) })
    }

    fn sign(
        &self,
        signing: &Signing,
        user: &EntityRef,
        session: &str,
        now: DateTime<Utc>,
    ) -> Result<String, TokenError> {
        let wrong = |error: &dyn std::fmt::Display| TokenError::Sign(error.to_string());
        let iat = now.timestamp();
        let exp = iat.saturating_add(i64::try_from(self.inner.lifetime.as_secs()).unwrap_or(i64::MAX));
        let sub = user.to_string();
        let limited_header = part(&LimitedHeader { typ: LIMITED, alg: "ES256", kid: &signing.id })?;
        let limited_claims = part(&LimitedClaims { sub: &sub, iat, exp })?;
        let limited = format!("{limited_header}.{limited_claims}");
        let uip = jsonwebtoken::crypto::sign(limited.as_bytes(), &signing.key, Algorithm::ES256);
        let claims = Claims {
            iss: self.inner.issuer.clone(),
            sub,
            aud: AUDIENCE.to_owned(),
            iat,
            exp,
            uip: uip.map_err(|error| wrong(&error))?,
            sid: session.to_owned(),
        };
        let header =
            Header { typ: Some(USER.to_owned()), kid: Some(signing.id.clone()), ..Header::new(Algorithm::ES256) };
        let token = jsonwebtoken::encode(&header, &claims, &signing.key).map_err(|error| wrong(&error))?;
        if token.len() > LONGEST {
            return Err(TokenError::Sign(format!("it would be longer than {LONGEST} bytes")));
        }
        Ok(token)
    }

    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[&self.inner.issuer]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // It is compared with the clock that the token was made by.
        validation.validate_exp = false;
        validation
    }

    async fn key(&self, id: &str, now: i64) -> Result<Option<Jwk>, Error> {
        let mut known = self.inner.known.lock().await;
        known.retain(|_, (_, expires)| *expires > now);
        if let Some((key, _)) = known.get(id) {
            return Ok(Some(key.clone()));
        }
        let select = "SELECT key, expires_at FROM user_token_key WHERE id = $1 AND expires_at > $2";
        let Some(row) = self.inner.db.fetch_optional(query(select, args![id, now])).await? else { return Ok(None) };
        let (text, expires): (String, i64) = (row.get(0)?, row.get(1)?);
        let Ok(key) = serde_json::from_str::<Jwk>(&text) else { return Ok(None) };
        known.insert(id.to_owned(), (key.clone(), expires));
        Ok(Some(key))
    }
}

fn part(value: &impl Serialize) -> Result<String, TokenError> {
    use base64::Engine;
    let text = serde_json::to_vec(value).map_err(|error| TokenError::Sign(error.to_string()))?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use callboard_store::DatabaseConfig;

    use super::*;

    const ISSUER: &str = "https://portal.example/api/auth";

    async fn tokens(db: &Db) -> UserTokens {
        UserTokens::open(db.clone(), ISSUER.to_owned(), LIFETIME).await.unwrap()
    }

    fn ada() -> EntityRef {
        EntityRef::parse("user:default/ada", None, None).unwrap()
    }

    fn json_part(token: &str, part: usize) -> Value {
        let text = URL_SAFE_NO_PAD.decode(token.split('.').nth(part).unwrap()).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    #[tokio::test]
    async fn a_token_as_backstage_makes_it() {
        let db = Db::open(&DatabaseConfig::Memory).await.unwrap();
        let tokens = tokens(&db).await;
        let now = Utc::now();
        let issued = tokens.issue(&ada(), "s1", now).await.unwrap();
        assert_eq!(issued.expires_in, 3600);
        let (header, claims) = (json_part(&issued.token, 0), json_part(&issued.token, 1));
        assert_eq!((&header["typ"], &header["alg"]), (&json!("vnd.backstage.user"), &json!("ES256")));
        assert_eq!(
            (&claims["iss"], &claims["sub"], &claims["aud"]),
            (&json!(ISSUER), &json!("user:default/ada"), &json!("backstage"))
        );
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
        assert!(claims.get("ent").is_none());
        let keys = tokens.keys(now).await.unwrap();
        let key = &keys["keys"][0];
        assert_eq!(
            (&key["kty"], &key["crv"], &key["alg"], &key["kid"]),
            (&json!("EC"), &json!("P-256"), &json!("ES256"), &header["kid"])
        );
        assert!(key.get("d").is_none(), "the private part is nowhere");

        // Whoever has the token can make the limited one of it without the key, and its signature is good.
        let limited = format!(
            "{}.{}.{}",
            URL_SAFE_NO_PAD
                .encode(format!(r#"{{"typ":"vnd.backstage.limited-user","alg":"ES256","kid":{}}}"#, header["kid"])),
            URL_SAFE_NO_PAD
                .encode(format!(r#"{{"sub":"user:default/ada","iat":{},"exp":{}}}"#, claims["iat"], claims["exp"])),
            claims["uip"].as_str().unwrap()
        );
        let key = DecodingKey::from_jwk(&serde_json::from_value(key.clone()).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.validate_aud = false;
        assert!(jsonwebtoken::decode::<Value>(&limited, &key, &validation).is_ok());
        assert_eq!(tokens.verify(&limited, now).await.unwrap_err().to_string(), "Illegal limited user token");
    }

    #[tokio::test]
    async fn what_is_accepted() {
        let db = Db::open(&DatabaseConfig::Memory).await.unwrap();
        let (tokens, replica) = (tokens(&db).await, tokens(&db).await);
        let other_db = Db::open(&DatabaseConfig::Memory).await.unwrap();
        let stranger = self::tokens(&other_db).await;
        let now = Utc::now();
        let token = tokens.issue(&ada(), "s1", now).await.unwrap().token;
        let good = Verified { user: ada(), session: "s1".to_owned() };
        assert_eq!(tokens.verify(&token, now).await.unwrap(), good);
        assert_eq!(replica.verify(&token, now).await.unwrap(), good, "another replica knows the key");
        assert!(stranger.verify(&token, now).await.is_err(), "another portal does not");
        let strange = stranger.issue(&ada(), "s1", now).await.unwrap().token;
        assert!(tokens.verify(&strange, now).await.is_err());
        let later = |seconds: i64| now + chrono::Duration::seconds(seconds);
        assert!(tokens.verify(&token, later(3599)).await.is_ok());
        assert!(tokens.verify(&token, later(3600)).await.is_err(), "it is over");

        // A token of the same key with another word in it: nothing but its signature says so.
        let parts: Vec<&str> = token.split('.').collect();
        let mut claims = json_part(&token, 1);
        claims["sub"] = json!("user:default/root");
        let forged = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2]);
        assert!(tokens.verify(&forged, now).await.is_err());
        let mut header = json_part(&token, 0);
        header["alg"] = json!("none");
        let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(header.to_string()), parts[1]);
        assert!(tokens.verify(&unsigned, now).await.is_err());
        // The public key as a shared secret.
        let keys = tokens.keys(now).await.unwrap();
        let public = keys["keys"][0].to_string();
        let mut confused = Header { typ: Some(USER.to_owned()), ..Header::new(Algorithm::HS256) };
        confused.kid = json_part(&token, 0)["kid"].as_str().map(str::to_owned);
        let confused =
            jsonwebtoken::encode(&confused, &json_part(&token, 1), &EncodingKey::from_secret(public.as_bytes()))
                .unwrap();
        assert!(tokens.verify(&confused, now).await.is_err());
        for garbage in ["", ".", "..", "a.b.c", &"x".repeat(40_000)] {
            assert!(tokens.verify(garbage, now).await.is_err());
        }
    }

    #[tokio::test]
    async fn keys_change() {
        let db = Db::open(&DatabaseConfig::Memory).await.unwrap();
        let tokens = tokens(&db).await;
        let now = Utc::now();
        let later = |seconds: i64| now + chrono::Duration::seconds(seconds);
        let kid = |token: &str| json_part(token, 0)["kid"].clone();
        let first = tokens.issue(&ada(), "s", now).await.unwrap().token;
        let same = tokens.issue(&ada(), "s", later(3599)).await.unwrap().token;
        assert_eq!(kid(&first), kid(&same));
        assert!(tokens.verify(&same, later(3600 + 3598)).await.is_ok(), "its key is known for as long as it is valid");
        let next = tokens.issue(&ada(), "s", later(3600)).await.unwrap().token;
        assert_ne!(kid(&first), kid(&next));
        assert_eq!(tokens.keys(later(3601)).await.unwrap()["keys"].as_array().unwrap().len(), 2);
        assert_eq!(tokens.keys(later(3 * 3600)).await.unwrap()["keys"].as_array().unwrap().len(), 1);
    }
}
