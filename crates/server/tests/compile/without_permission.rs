use callboard::http::{Route, Routes};

pub fn add(routes: Routes, route: Route) -> Routes {
    routes.add(route)
}
