//! The OpenAPI document is complete and true: it names exactly the endpoints that there are, and who may use them.

use std::collections::BTreeSet;

use serde_json::Value;
use stratora_actix::Access;
use stratora_api::{Limited, ROUTES, openapi_document};

fn document() -> Value {
    serde_json::to_value(openapi_document()).unwrap_or_default()
}

#[test]
fn it_names_exactly_the_endpoints_that_there_are() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let api = ROUTES.iter().filter(|route| !route.is_page());
    let served: BTreeSet<_> = api.map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, served);
}

#[test]
fn every_endpoint_says_who_may_use_it_and_what_can_go_wrong() {
    let document = document();
    for route in ROUTES.iter().filter(|route| !route.is_page()) {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let schemes: Vec<_> = operation["security"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|scheme| scheme.as_object().unwrap().keys().cloned())
            .collect();
        let expected: &[&str] = match route.access {
            Access::Anyone => &[],
            Access::Component => &["component"],
            Access::InfluxWriter => &["component", "influx"],
            Access::SignedIn { .. } | Access::Role(_) => &["bearer", "cookie"],
        };
        assert_eq!(schemes, expected, "{}", route.path);
        let has = |status: &str| operation["responses"].get(status).is_some();
        assert!(route.access == Access::Anyone || has("401"), "{} {} lacks 401", route.method, route.path);
        assert!(!matches!(route.access, Access::Role(_)) || has("403"), "{} {} lacks 403", route.method, route.path);
        assert!(!matches!(route.limited, Limited::By(_)) || has("429"), "{} {} lacks 429", route.method, route.path);
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_every_parameter_its_place() {
    let document = document();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} stands for {method} {path} and for another");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                let is_in_path = path.contains(&format!("{{{name}}}"));
                assert_eq!(parameter["in"] == "path", is_in_path, "{name} of {method} {path}");
            }
        }
    }
}

#[test]
fn it_holds_no_reference_that_leads_nowhere() {
    let document = document();
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "{name} is not described");
    }
}
