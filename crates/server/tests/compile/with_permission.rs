use callboard::http::{Route, Routes};
use callboard::policy::Permission;

pub fn add(routes: Routes, route: Route) -> Routes {
    routes.add(Permission::EntityRead, route)
}
