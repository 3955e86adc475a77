//! The figures of requests: how many, how long, by route and status.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ptr;
use std::time::Duration;

use actix_web::http::StatusCode;
use foldhash::fast::RandomState;
use metrics::{Counter, Histogram, counter, histogram};

/// The figures of one worker. It keeps a hold of each figure that it has touched: to find one by its labels anew takes longer
/// than many a request. There are only as many as routes, methods and statuses.
#[derive(Default)]
pub(crate) struct Figures {
    /// By the address of the route's path, which is quicker than by its text.
    by_route: RefCell<HashMap<*const str, Vec<Figure>, RandomState>>,
}

struct Figure {
    method: &'static str,
    status: StatusCode,
    count: Counter,
    duration: Histogram,
}

impl Figure {
    fn of(route: &'static str, method: &'static str, status: StatusCode) -> Self {
        let duration = histogram!("http_request_duration_seconds", "method" => method, "route" => route);
        let status_label = status.as_str().to_owned();
        let count = counter!("http_requests_total", "method" => method, "route" => route, "status" => status_label);
        Self { method, status, count, duration }
    }

    fn is_of(&self, method: &'static str, status: StatusCode) -> bool {
        self.method == method && self.status == status
    }

    fn record(&self, took: Duration) {
        self.count.increment(1);
        self.duration.record(took);
    }
}

impl Figures {
    /// Counts a request.
    pub(crate) fn record(&self, route: &'static str, method: &'static str, status: StatusCode, took: Duration) {
        let mut by_route = self.by_route.borrow_mut();
        let known = by_route
            .get(&ptr::from_ref(route))
            .and_then(|figures| figures.iter().find(|figure| figure.is_of(method, status)));
        if let Some(figure) = known {
            figure.record(took);
        } else {
            let figure = Figure::of(route, method, status);
            figure.record(took);
            by_route.entry(ptr::from_ref(route)).or_default().push(figure);
        }
    }
}
