//! The catalog as the host's [`CatalogReader`]: bound to one principal before a plugin is called.

use std::sync::Arc;

use async_trait::async_trait;
use callboard_catalog::{Catalog, Direction, Order, Query};
use callboard_host::limits::BATCH_BYTES;
use callboard_host::{Acting, CatalogError, CatalogOrder, CatalogPage, CatalogQuery, CatalogReader};
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;

use crate::identity::Principal;
use crate::policy::{Live, Permission, Policy};

/// Entities that are read at once by their refs, so that a plugin that asks for more than it can be handed does not fill
/// the server's memory with it.
const AT_ONCE: usize = 8;

/// What a principal may read of the catalog. There is no way to read more with it than that.
struct PrincipalReader {
    catalog: Catalog,
    access: Access,
    /// What a plugin is told that works for nobody and that no rule lets read. Somebody who may read nothing finds an
    /// empty catalog, as at the portal's pages.
    refusal: Option<String>,
}

/// Has a plugin act for somebody, by the policy that their request is decided by.
pub(crate) fn acting(catalog: &Catalog, policy: &Policy, principal: &Principal) -> Acting {
    let access = policy.decide(principal, &Permission::EntityRead).access;
    let refusal = match principal {
        Principal::Plugin(id) if access == Access::None => Some(format!(
            "no rule lets the plugin {id} read the catalog when it works for nobody in particular. In app-config, add to \
             `permission.policy`: {{ allow: [{}], to: [\"{principal}\"] }}",
            Permission::EntityRead.name()
        )),
        _ => None,
    };
    let user = principal.user().map(|user| user.entity_ref.to_string());
    Acting { user, catalog: Arc::new(PrincipalReader { catalog: catalog.clone(), access, refusal }) }
}

/// What a plugin acts by that works for nobody in particular.
#[derive(Clone)]
pub(crate) struct Scheduled {
    pub(crate) catalog: Catalog,
    pub(crate) policy: Live,
}

impl Scheduled {
    /// By the policy that is in force now.
    pub(crate) fn acting(&self, plugin: &str) -> Acting {
        acting(&self.catalog, &self.policy.get(), &Principal::Plugin(plugin.to_owned()))
    }
}

impl PrincipalReader {
    /// What both the principal may read and the plugin is granted. It is part of each question beside the filter,
    /// because a cursor brings a filter of its own.
    fn access(&self, granted: &Predicate) -> Result<Access, CatalogError> {
        match &self.refusal {
            Some(refusal) => Err(CatalogError::Denied(refusal.clone())),
            None => Ok(self.access.clone().and(granted.clone())),
        }
    }
}

#[async_trait]
impl CatalogReader for PrincipalReader {
    async fn get(&self, granted: &Predicate, refs: &[EntityRef]) -> Result<Vec<Option<String>>, CatalogError> {
        let access = self.access(granted)?;
        let refs: Vec<String> = refs.iter().map(EntityRef::to_string).collect();
        let mut found = Vec::with_capacity(refs.len());
        let mut bytes = 0;
        for some in refs.chunks(AT_ONCE) {
            for entity in self.catalog.by_refs(&access, some, None, &[]).await.map_err(told)? {
                bytes += entity.as_ref().map_or(0, |entity| entity.get().len());
                found.push(entity.map(|entity| entity.get().to_owned()));
            }
            if bytes > BATCH_BYTES {
                return Err(CatalogError::TooLarge(format!(
                    "these entities have more than {BATCH_BYTES} bytes together; ask for fewer at once"
                )));
            }
        }
        Ok(found)
    }

    async fn query(&self, granted: &Predicate, query: CatalogQuery) -> Result<CatalogPage, CatalogError> {
        let access = self.access(granted)?;
        let CatalogQuery { filter, fields, order, limit, cursor } = query;
        let query = Query {
            filter: Some(filter),
            fields,
            order: order.map(by).into_iter().collect(),
            limit: limit.into(),
            cursor,
            total: false,
            bytes: Some(BATCH_BYTES),
            ..Query::default()
        };
        let page = self.catalog.query(&access, &query).await.map_err(told)?;
        let entities = page.items.into_iter().map(|entity| entity.get().to_owned()).collect();
        Ok(CatalogPage { entities, next: page.page_info.next_cursor })
    }
}

fn by(order: CatalogOrder) -> Order {
    let direction = if order.descending { Direction::Desc } else { Direction::Asc };
    Order { field: order.field, direction }
}

/// The plugin learns of its own mistakes; what is wrong with the database is the operator's to know.
fn told(error: callboard_catalog::Error) -> CatalogError {
    match error {
        callboard_catalog::Error::Store(error) => {
            tracing::error!(%error, "a plugin reads the catalog, and the database does not answer");
            CatalogError::Unavailable("the portal's database does not answer".to_owned())
        }
        error => CatalogError::Invalid(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_does_not_hear_the_database() {
        fn check(error: callboard_catalog::Error, expected: &CatalogError) {
            assert_eq!(&told(error), expected);
        }
        let away = CatalogError::Unavailable("the portal's database does not answer".to_owned());
        let reason = || "PostgreSQL at 10.0.0.7: connection refused".to_owned();
        check(callboard_store::Error::Unavailable(reason()).into(), &away);
        check(callboard_store::Error::Busy(reason()).into(), &away);
        check(callboard_store::Error::Failed(reason()).into(), &away);
        let malformed = "Malformed cursor: it is not base64".to_owned();
        check(callboard_catalog::Error::Input(malformed.clone()), &CatalogError::Invalid(malformed));
    }
}
