//! `/api/catalog`: the catalog API of Backstage, to the letter.

mod ancestry;
mod by_name;
mod by_query;
mod entities;
mod error;
mod facets;
mod locations;
mod mutations;
mod push;
mod query;
mod reading;
mod schema;
mod validate;
mod well_known;

use utoipa_axum::routes;

use super::routes::Routes;
use super::state::App;
use crate::policy::Permission;

pub(crate) fn routes(app: &App) -> Routes {
    let routes = Routes::new(app)
        .add(Permission::EntityRead, routes!(entities::list))
        .add_remembered(Permission::EntityRead, routes!(by_query::get))
        .add(Permission::EntityRead, routes!(by_query::post))
        .add_remembered(Permission::EntityRead, routes!(by_name::by_uid))
        .add(Permission::EntityRead, routes!(by_name::freshness))
        .add_remembered(Permission::EntityRead, routes!(by_name::by_name))
        .add(Permission::EntityRead, routes!(ancestry::ancestry))
        .add(Permission::EntityRead, routes!(by_name::by_refs))
        .add_remembered(Permission::EntityRead, routes!(facets::get))
        .add(Permission::EntityRead, routes!(facets::post))
        .add(Permission::EntityRefresh, routes!(mutations::refresh))
        .add(Permission::EntityDelete, routes!(mutations::delete))
        .add(Permission::LocationRead, routes!(locations::list))
        .add(Permission::LocationRead, routes!(locations::one))
        .add(Permission::LocationRead, routes!(locations::by_entity))
        .add(Permission::LocationRead, routes!(locations::by_query))
        .add(Permission::LocationCreate, routes!(locations::register))
        .add(Permission::LocationCreate, routes!(locations::update))
        .add(Permission::LocationDelete, routes!(locations::remove))
        .add(Permission::LocationAnalyze, routes!(validate::analyze))
        .add(Permission::EntityValidate, routes!(validate::validate))
        .add(Permission::Public, routes!(well_known::keys))
        .add(Permission::EntityRead, routes!(well_known::metadata))
        .add(Permission::EntityRead, routes!(well_known::apply_conditions));
    push::routes(routes)
}
