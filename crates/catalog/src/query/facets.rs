//! Facets: the values of fields, with how many entities have each.

use callboard_model::access::Access;
use callboard_model::api::{FacetValue, Facets};
use callboard_model::filter::Predicate;
use callboard_store::{Db, Sql};

use super::compile::{values_of, visible};
use crate::Error;
use crate::limits::FACETS;

/// The values of facets among the entities that are meant.
pub(crate) async fn facets(
    db: &Db,
    access: &Access,
    facets: &[String],
    filter: Option<&Predicate>,
) -> Result<Facets, Error> {
    if facets.is_empty() {
        return Err(Error::Input("Missing or empty facets parameter".to_owned()));
    }
    if facets.len() > FACETS {
        return Err(Error::Input(format!("At most {FACETS} facets may be asked for at once")));
    }
    let mut tx = db.read().await?;
    let mut answer = Facets::default();
    for facet in facets {
        let mut sql = Sql::new();
        sql.push("SELECT v.original, count(DISTINCT v.entity_id) FROM ");
        values_of(&mut sql, &facet.to_lowercase());
        sql.push(" v JOIN entity e ON e.id = v.entity_id WHERE ");
        visible(&mut sql, access, filter);
        sql.push(" GROUP BY v.original ORDER BY v.original");
        let rows = tx.fetch_all(sql).await?;
        let values = rows.iter().map(|row| Ok(FacetValue { value: row.get(0)?, count: row.get(1)? }));
        answer.facets.insert(facet.clone(), values.collect::<Result<_, callboard_store::Error>>()?);
    }
    Ok(answer)
}
