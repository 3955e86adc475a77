//! The server's own figures, at a listener of their own.

use serde_json::json;
use stratora_testing::{Client, free_port};

use crate::support::{Installation, create_component};

#[tokio::test]
async fn what_the_server_does_is_counted_at_a_listener_of_its_own_and_nowhere_else() {
    let port = free_port().unwrap();
    let mut installation = Installation::with_settings(&format!("metrics: {{listen: \"127.0.0.1:{port}\"}}\n"));
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    for _ in 0..3 {
        backend.get(&format!("/api/v1/remote-collectors/{id}/config")).key(&key).send().await.unwrap();
    }
    for _ in 0..6 {
        let wrong = json!({"username": "admin", "password": "wrong"});
        backend.post("/api/v1/auth/login").from("192.0.2.1").json(&wrong).send().await.unwrap();
    }
    let figures = Client::new(format!("http://127.0.0.1:{port}")).unwrap();
    let answer = figures.get("/metrics").send().await.unwrap();
    assert_eq!(answer.status, 200);
    let text = answer.text();
    for expected in [
        "http_requests_total{method=\"GET\",route=\"/api/v1/remote-collectors/{id}/config\",status=\"404\"} 3",
        "http_request_duration_seconds_bucket{method=\"POST\",route=\"/api/v1/auth/login\",le=\"60\"} 7",
        "http_rate_limited_total{quota=\"login\"} 1",
        "cache_lease_losses_total 0",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains(&key) && !text.contains(&id), "labels are routes, not what stands in them");
    assert_eq!(backend.get("/metrics").send().await.unwrap().status, 404);
    assert_eq!(figures.get("/api/v1/auth/me").send().await.unwrap().status, 404);
}
