//! Many clients at once: each gets the answer that it would get alone.

use std::time::Duration;

use headsmith_kernels::{MatRef, Pool};
use headsmith_server::Limits;
use serde_json::json;

use crate::world::{ROW, World, model};

/// Rows that differ from client to client and from request to request.
fn rows(client: usize, request: usize) -> Vec<f32> {
    let n_rows = 1 + (client + request) % 5;
    (0..n_rows * 4).map(|i| ((client * 7919 + request * 104_729 + i * 31) % 97) as f32 / 16.0 - 3.0).collect()
}

#[test]
fn batches_give_each_client_its_own_rows() {
    // Batches of all sizes, from one row to more than a batch may have: such requests are cut.
    for (batch_rows, n_clients) in [(1, 4), (3, 16), (7, 16), (1024, 16)] {
        let world = World::with(|options, _| {
            options.limits = Limits { batch_rows, ..Limits::default() };
        });
        std::thread::scope(|scope| {
            for client in 0..n_clients {
                let world = &world;
                scope.spawn(move || {
                    let (model, mut connection) = (model(0.5), world.client());
                    for request in 0..50 {
                        let rows = rows(client, request);
                        let body = json!({ "embeddings": rows.chunks(4).collect::<Vec<_>>() }).to_string();
                        let answer = connection.ask("POST", "/predict", &[], body.as_bytes()).json();
                        let x = MatRef::new(&rows, rows.len() / 4, 4);
                        let proba = model.predict_proba(x, &Pool::inline()).unwrap();
                        let found: Vec<Vec<f32>> =
                            serde_json::from_value(answer["probabilities"].clone()).unwrap();
                        assert_eq!(found.concat(), proba.into_vec());
                    }
                });
            }
        });
        let page = world.get("/metrics").text();
        let n_rows: usize = (0..n_clients).flat_map(|c| (0..50).map(move |r| rows(c, r).len() / 4)).sum();
        assert!(page.contains(&format!("headsmith_batch_rows_total {n_rows}\n")), "{page}");
    }
}

#[test]
fn a_full_queue_sheds_and_the_rest_is_answered() {
    let world = World::with(|options, _| {
        // The worker waits for more rows than come, until the server ends.
        options.limits = Limits { queue: 2, batch_wait: Duration::from_secs(3600), ..Limits::default() };
    });
    let mut clients = [world.client(), world.client()];
    for (i, client) in clients.iter_mut().enumerate() {
        client.send_row();
        world.wait_for(&format!("headsmith_waiting_requests {}", i + 1));
    }
    let answer = world.post("/predict", ROW);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert_eq!(world.get("/v2/health/ready").status, 200);
    world.end();
    for client in &mut clients {
        assert_eq!(client.answer().unwrap().status, 200);
    }
}
