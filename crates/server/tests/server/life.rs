//! A server's life: models are read again, requests under way are answered at the end, TLS.

use headsmith_server::Limits;
use serde_json::json;

use crate::world::{CLASSES, ROW, World, model, write};

#[test]
fn models_are_read_again_while_requests_go_on() {
    let world = World::new();
    let path = world.folder.path().join("m.safetensors");
    let stop = std::sync::atomic::AtomicBool::new(false);
    let n_answers = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..3)
            .map(|_| {
                let (world, stop) = (&world, &stop);
                scope.spawn(move || {
                    let (mut client, mut n) = (world.client(), 0);
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        let answer = client.ask("POST", "/predict", &[], ROW.as_bytes());
                        assert_eq!(answer.status, 200, "{}", answer.text());
                        n += 1;
                    }
                    n
                })
            })
            .collect();
        for i in 0..20 {
            write(&path, &model(if i % 2 == 0 { -40.0 } else { 0.5 }));
            world.handle.reload().unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).sum::<usize>()
    });
    assert!(n_answers > 0);
    write(&path, &model(-40.0));
    world.handle.reload().unwrap();
    assert_eq!(world.post("/predict", ROW).json()["labels"], json!([CLASSES[1]]));
    // A file that is no model changes nothing.
    std::fs::write(&path, b"no model").unwrap();
    assert!(world.handle.reload().unwrap_err().to_string().contains("m.safetensors"));
    assert_eq!(world.post("/predict", ROW).json()["labels"], json!([CLASSES[1]]));
}

#[test]
fn requests_under_way_are_answered_at_the_end() {
    let world = World::with(|options, _| {
        // The request waits for others that do not come: it is under way when the server is told to end.
        options.limits = Limits { batch_wait: std::time::Duration::from_secs(3600), ..Limits::default() };
    });
    let mut client = world.client();
    client.send_row();
    world.wait_for("headsmith_waiting_requests 1");
    let mut idle = world.client();
    assert_eq!(idle.ask("GET", "/v2/health/ready", &[], b"").status, 200);
    let address = world.address;
    world.end();
    assert_eq!(client.answer().unwrap().status, 200);
    assert!(client.is_closed() && idle.is_closed());
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn a_client_that_never_ends_its_body_does_not_keep_the_server() {
    let world = World::with(|options, _| {
        options.limits = Limits { drain_timeout: std::time::Duration::from_millis(200), ..Limits::default() };
    });
    let mut client = world.client();
    client.send(b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{");
    assert!(world.is_well());
    world.end();
    assert!(client.is_closed());
}
