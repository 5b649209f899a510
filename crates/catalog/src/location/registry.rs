//! The table of registered locations, and the provider that it is.

use std::collections::BTreeMap;

use callboard_model::access::Access;
use callboard_model::api::{LocationInput, RegisteredLocation};
use callboard_model::entity::Entity;
use callboard_model::entity_ref::EntityRef;
use callboard_model::location_ref::{LocationRef, MANAGED_BY_ORIGIN_LOCATION, Presence};
use callboard_store::{Row, Sql, Tx, args, query};
use serde_json::Value;
use uuid::Uuid;

use super::NewLocation;
use crate::engine::{Shared, now};
use crate::graph::{enqueue, remove};
use crate::limits::REGISTRATION_WAIT;
use crate::provider::run;
use crate::provider::stage::{Incoming, Staged};
use crate::query::lookup;
use crate::{Error, OnConflict, settled};

/// The provider of what is registered.
pub(crate) const STORE: &str = "DefaultLocationStore";

/// The provider of `catalog.locations`.
pub(crate) const CONFIGURED: &str = "ConfigLocationProvider";

/// A location as an entity that is on its way in.
pub(crate) fn incoming(location: &LocationRef, presence: Presence) -> Staged {
    Staged::Entity(Box::new(Incoming {
        entity: location.generated_entity(presence),
        location_key: location.to_string(),
        version: None,
        facts: BTreeMap::new(),
    }))
}

/// A registered location as an entity that is on its way in. It keeps the name that it got at its registration, whatever
/// it has come to name since.
fn incoming_as(location: &LocationRef, presence: Presence, entity_ref: &str) -> Staged {
    let mut staged = incoming(location, presence);
    let name = EntityRef::parse(entity_ref, None, None).map(|entity_ref| entity_ref.name().to_owned());
    if let (Staged::Entity(incoming), Ok(name)) = (&mut staged, name) {
        let mut value = incoming.entity.to_value();
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("name".to_owned(), Value::from(name));
        }
        if let Ok(entity) = Entity::from_value(value) {
            incoming.entity = entity;
        }
    }
    staged
}

/// Checks what somebody wants to register.
pub(crate) fn checked(location: &NewLocation) -> Result<LocationRef, Error> {
    if location.kind != "url" {
        return Err(Error::Input("Registered locations must be of an allowed type [\"url\"]".to_owned()));
    }
    if location.target.contains(char::is_control) {
        let target = location.target.escape_debug();
        return Err(Error::Input(format!("the target {target} holds a control character, which no URL does")));
    }
    LocationRef::new(&location.kind, &location.target).map_err(|error| Error::Input(error.to_string()))
}

/// Registers a location, and waits a while for what it brings.
pub(crate) async fn register(
    shared: &Shared,
    location: &NewLocation,
    on_conflict: Option<OnConflict>,
) -> Result<RegisteredLocation, Error> {
    let registered = insert(shared, location, on_conflict).await?;
    wait(shared, &registered).await?;
    Ok(registered)
}

/// Waits until what a location brings can be read, but not for long: a slow host is no reason to say that the location
/// was not registered.
async fn wait(shared: &Shared, location: &RegisteredLocation) -> Result<(), Error> {
    let refs = [location.entity_ref.clone()];
    settled::wait(shared, &refs, REGISTRATION_WAIT).await?;
    Ok(())
}

async fn insert(
    shared: &Shared,
    location: &NewLocation,
    on_conflict: Option<OnConflict>,
) -> Result<RegisteredLocation, Error> {
    writable(shared)?;
    let location_ref = checked(location)?;
    let mut tx = shared.db.begin().await?;
    if let Some(existing) = find(&mut tx, &location_ref).await? {
        if on_conflict.unwrap_or(shared.settings.default_location_conflict_strategy) == OnConflict::Reject {
            return Err(Error::Conflict(format!("Location {location_ref} already exists")));
        }
        if let Some(id) = lookup::id_of(&mut tx, &shared.names, &Access::All, &existing.entity_ref).await? {
            enqueue(&mut tx, &[id], now(), true).await?;
        }
        tx.commit().await?;
        shared.queued();
        return Ok(existing);
    }
    let id = Uuid::new_v4().to_string();
    let registered = RegisteredLocation {
        entity_ref: unused_ref(&mut tx, &location_ref, &id).await?,
        id,
        kind: location_ref.kind.clone(),
        target: location_ref.target.clone(),
    };
    let optional = location.presence == Presence::Optional;
    tx.execute(query(
        "INSERT INTO location(id, type, target, entity_ref, optional) VALUES ($1, $2, $3, $4, $5)",
        args![&registered.id, &registered.kind, &registered.target, &registered.entity_ref, optional],
    ))
    .await?;
    let incoming = incoming_as(&location_ref, location.presence, &registered.entity_ref);
    let applied = run::extend(&mut tx, STORE, &[incoming]).await?;
    if let Some(conflict) = applied.conflicts.first() {
        return Err(Error::Conflict(conflict.message.clone()));
    }
    tx.commit().await?;
    shared.queued();
    Ok(registered)
}

/// The ref of the Location entity of a new registration: made of what it names, unless one that has come to name
/// something else has kept that ref. Then the registration's id makes the difference.
async fn unused_ref(tx: &mut Tx, location: &LocationRef, id: &str) -> Result<String, Error> {
    let usual = location.generated_entity(Presence::default()).entity_ref().to_string();
    let taken = query("SELECT id FROM location WHERE entity_ref = $1", args![&usual]);
    if tx.fetch_optional(taken).await?.is_none() {
        return Ok(usual);
    }
    let other = LocationRef { kind: location.kind.clone(), target: format!("{}#{id}", location.target) };
    Ok(other.generated_entity(Presence::default()).entity_ref().to_string())
}

/// Brings the entities of the registered locations to what the table says, at the start: one that somebody deleted is
/// back, as its location is still registered.
pub(crate) async fn restore(tx: &mut Tx) -> Result<(), Error> {
    let select = "SELECT type, target, optional, entity_ref FROM location WHERE type <> 'bootstrap'";
    let mut all = Vec::new();
    for row in tx.fetch_all(query(select, args![])).await? {
        let presence = if row.get("optional")? { Presence::Optional } else { Presence::Required };
        let location = LocationRef { kind: row.get("type")?, target: row.get("target")? };
        all.push(incoming_as(&location, presence, &row.get::<String>("entity_ref")?));
    }
    run::replace(tx, STORE, &all).await?;
    Ok(())
}

/// Has a registered location name something else. Its Location entity keeps its ref.
pub(crate) async fn update(shared: &Shared, id: &str, location: &LocationInput) -> Result<RegisteredLocation, Error> {
    writable(shared)?;
    let location =
        NewLocation { kind: location.kind.clone(), target: location.target.clone(), presence: Presence::default() };
    let location_ref = checked(&location)?;
    let mut tx = shared.db.begin().await?;
    let before = by_id(&mut tx, id).await?;
    if find(&mut tx, &location_ref).await?.is_some_and(|other| other.id != id) {
        return Err(Error::Conflict(format!("Location {location_ref} already exists")));
    }
    let row = tx.fetch_optional(query("SELECT optional FROM location WHERE id = $1", args![id])).await?;
    let optional: bool = row.map_or(Ok(false), |row| row.get(0))?;
    let presence = if optional { Presence::Optional } else { Presence::Required };
    tx.execute(query(
        "UPDATE location SET type = $2, target = $3 WHERE id = $1",
        args![id, &location_ref.kind, &location_ref.target],
    ))
    .await?;
    // Whose the entity is is told by what it names: the same registration goes on under the other key.
    tx.execute(query(
        "UPDATE entity SET location_key = $2 WHERE location_key = $3 AND id IN (SELECT r.id FROM ref r WHERE r.ref = $1)",
        args![&before.entity_ref, location_ref.to_string(), format!("{}:{}", before.kind, before.target)],
    ))
    .await?;
    let incoming = incoming_as(&location_ref, presence, &before.entity_ref);
    let applied = run::extend(&mut tx, STORE, &[incoming]).await?;
    if let Some(conflict) = applied.conflicts.first() {
        return Err(Error::Conflict(conflict.message.clone()));
    }
    tx.commit().await?;
    shared.queued();
    let updated = RegisteredLocation { kind: location_ref.kind, target: location_ref.target, ..before };
    wait(shared, &updated).await?;
    Ok(updated)
}

/// Removes a location and everything that came from it, which is gone when this answers.
pub(crate) async fn unregister(shared: &Shared, id: &str) -> Result<(), Error> {
    writable(shared)?;
    let mut tx = shared.db.begin().await?;
    let location = by_id(&mut tx, id).await?;
    tx.execute(query("DELETE FROM location WHERE id = $1", args![id])).await?;
    let source = run::source_id(&mut tx, STORE, "").await?;
    let rows = tx.fetch_all(query("SELECT id FROM ref WHERE ref = $1", args![&location.entity_ref])).await?;
    let ids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>, callboard_store::Error>>()?;
    for id in &ids {
        tx.execute(query("DELETE FROM provided WHERE source_id = $1 AND entity_id = $2", args![source, *id])).await?;
    }
    remove::prune(&mut tx, &ids, now()).await?;
    tx.commit().await?;
    shared.queued();
    Ok(())
}

fn writable(shared: &Shared) -> Result<(), Error> {
    if shared.settings.readonly {
        return Err(Error::NotAllowed("This operation not allowed in readonly mode".to_owned()));
    }
    if !shared.settings.provides(STORE) {
        let message = format!("catalog.providerOptions.{STORE} turns registered locations off");
        return Err(Error::NotAllowed(message));
    }
    Ok(())
}

/// The registered locations, by id. Those of type `bootstrap` are nobody's business.
pub(crate) async fn all(tx: &mut Tx) -> Result<Vec<RegisteredLocation>, Error> {
    let select = "SELECT id, type, target, entity_ref FROM location WHERE type <> 'bootstrap' ORDER BY id";
    let rows = tx.fetch_all(query(select, args![])).await?;
    Ok(rows.iter().map(registered).collect::<Result<_, _>>()?)
}

/// A registered location.
pub(crate) async fn by_id(tx: &mut Tx, id: &str) -> Result<RegisteredLocation, Error> {
    let select = "SELECT id, type, target, entity_ref FROM location WHERE id = $1 AND type <> 'bootstrap'";
    // PostgreSQL would take a NUL for an error.
    let row = if id.contains('\0') { None } else { tx.fetch_optional(query(select, args![id])).await? };
    row.map_or_else(|| Err(Error::NotFound(format!("Found no location with ID {id}"))), |row| Ok(registered(&row)?))
}

/// A registered location by what it names.
pub(crate) async fn find(tx: &mut Tx, location: &LocationRef) -> Result<Option<RegisteredLocation>, Error> {
    let mut sql = Sql::new();
    sql.push("SELECT id, type, target, entity_ref FROM location WHERE type <> 'bootstrap' AND type = ");
    sql.bind(&location.kind).push(" AND target = ").bind(&location.target);
    Ok(tx.fetch_optional(sql).await?.map(|row| registered(&row)).transpose()?)
}

/// The registered location that an entity originates from.
pub(crate) async fn by_entity(
    shared: &Shared,
    access: &Access,
    entity_ref: &EntityRef,
) -> Result<RegisteredLocation, Error> {
    let document = lookup::by_ref(shared, access, entity_ref).await?;
    let missing = || Error::NotFound(format!("found no entity for ref {entity_ref}"));
    let value: Value = serde_json::from_str(document.ok_or_else(missing)?.get())
        .map_err(|error| callboard_store::Error::Failed(format!("a stored document is damaged: {error}")))?;
    let origin =
        value.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(MANAGED_BY_ORIGIN_LOCATION));
    let origin = origin
        .and_then(Value::as_str)
        .ok_or_else(|| Error::NotFound(format!("found no origin annotation for ref {entity_ref}")))?;
    let location = LocationRef::parse(origin).map_err(|error| Error::NotFound(error.to_string()))?;
    let mut tx = shared.db.read().await?;
    find(&mut tx, &location).await?.ok_or_else(|| {
        Error::NotFound(format!("Found no location with type {} and target {}", location.kind, location.target))
    })
}

fn registered(row: &Row) -> Result<RegisteredLocation, callboard_store::Error> {
    Ok(RegisteredLocation { id: row.get(0)?, kind: row.get(1)?, target: row.get(2)?, entity_ref: row.get(3)? })
}
