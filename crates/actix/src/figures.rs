//! The figures of requests: how many, how long, by route and status.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use actix_web::http::StatusCode;
use metrics::{Counter, Histogram, counter, histogram};

/// The figures of one worker. It keeps a hold of each figure that it has touched: to find one by its labels anew takes longer
/// than many a request. There are only as many as routes, methods and statuses.
#[derive(Default)]
pub(crate) struct Figures {
    by_route: RefCell<HashMap<Box<str>, Vec<Figure>>>,
}

struct Figure {
    method: &'static str,
    status: StatusCode,
    count: Counter,
    duration: Histogram,
}

impl Figure {
    fn of(route: &str, method: &'static str, status: StatusCode) -> Self {
        let labels = [("method", method.to_owned()), ("route", route.to_owned())];
        let duration = histogram!("http_request_duration_seconds", &labels);
        let [method_label, route_label] = labels;
        let status_label = ("status", status.as_str().to_owned());
        let count = counter!("http_requests_total", &[method_label, route_label, status_label]);
        Self { method, status, count, duration }
    }
}

impl Figures {
    /// Counts a request.
    pub(crate) fn record(&self, route: &str, method: &'static str, status: StatusCode, took: Duration) {
        let mut by_route = self.by_route.borrow_mut();
        if !by_route.contains_key(route) {
            by_route.insert(route.into(), Vec::new());
        }
        let Some(figures) = by_route.get_mut(route) else { return };
        let place = figures.iter().position(|figure| figure.method == method && figure.status == status);
        let place = place.unwrap_or_else(|| {
            figures.push(Figure::of(route, method, status));
            figures.len() - 1
        });
        if let Some(figure) = figures.get(place) {
            figure.count.increment(1);
            figure.duration.record(took);
        }
    }
}
