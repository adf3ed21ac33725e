//! An open-loop load generator: requests arrive at random times (Poisson) of a given rate, whether or not earlier ones were answered, and the latency
//! of a request counts from its arrival. So a server that stalls is charged for all requests that came meanwhile, which a client that waits for
//! each answer before it sends the next would leave out (coordinated omission).
//!
//!     load ADDRESS PATH BODY_FILE CONNECTIONS RATE SECONDS
//!
//! A rate of 0 sends as fast as the connections allow, which finds the largest throughput. Prints one line of JSON; the first tenth of the time is left out.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use headsmith_kernels::Philox;
use serde_json::json;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The arrival of each request, in seconds.
fn arrivals(rate: f64, seconds: f64) -> Vec<f64> {
    let mut random = Philox::new(7, 0, 0).sequence(0, 0);
    let gaps = std::iter::from_fn(move || Some(-(1.0 - random.uniform()).ln() / rate));
    let times = gaps.scan(0.0, |time, gap| {
        *time += gap;
        Some(*time)
    });
    times.take_while(|time| *time < seconds).collect()
}

/// Sends a request and reads its answer; the status.
fn ask(stream: &mut BufReader<TcpStream>, request: &[u8]) -> Result<u16, Failure> {
    stream.get_mut().write_all(request)?;
    let (mut line, mut status, mut length) = (String::new(), 0, 0);
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err("the server closed the connection".into());
        }
        let line = line.trim_end().to_ascii_lowercase();
        match line.split_once(": ") {
            None if line.is_empty() => break,
            None => status = line.split(' ').nth(1).and_then(|text| text.parse().ok()).ok_or("no status")?,
            Some(("content-length", text)) => length = text.parse()?,
            Some(_) => {}
        }
    }
    std::io::copy(&mut stream.take(length), &mut std::io::sink())?;
    Ok(status)
}

/// The requests of one connection: when each arrived, how long it took, and its status (0: no answer).
fn connection(
    address: &str,
    request: &[u8],
    (start, end): (Instant, Instant),
    (arrivals, next): (Option<&[f64]>, &AtomicUsize),
) -> Result<Vec<(f64, f64, u16)>, Failure> {
    let connect = || -> Result<BufReader<TcpStream>, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(BufReader::new(stream))
    };
    let (mut stream, mut done) = (connect()?, Vec::new());
    std::thread::sleep(start.saturating_duration_since(Instant::now()));
    loop {
        let arrival = match arrivals {
            None => start.elapsed().as_secs_f64(),
            Some(arrivals) => match arrivals.get(next.fetch_add(1, Ordering::Relaxed)) {
                Some(arrival) => *arrival,
                None => return Ok(done),
            },
        };
        let due = start + Duration::from_secs_f64(arrival);
        if due >= end {
            return Ok(done);
        }
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let status = ask(&mut stream, request).unwrap_or(0);
        done.push((arrival, due.elapsed().as_secs_f64(), status));
        if status == 0 {
            stream = connect()?;
        }
    }
}

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, path, body, n, rate, seconds] = args.as_slice() else {
        return Err("usage: load ADDRESS PATH BODY_FILE CONNECTIONS RATE SECONDS".into());
    };
    let (n, rate, seconds): (usize, f64, f64) = (n.parse()?, rate.parse()?, seconds.parse()?);
    let body = std::fs::read(body)?;
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    let request = [head.as_bytes(), &body].concat();
    let arrivals = (rate > 0.0).then(|| arrivals(rate, seconds));
    let start = Instant::now() + Duration::from_millis(200 + n as u64);
    let (end, next) = (start + Duration::from_secs_f64(seconds), AtomicUsize::new(0));
    let results = std::thread::scope(|scope| {
        let work = || connection(address, &request, (start, end), (arrivals.as_deref(), &next));
        let threads: Vec<_> = (0..n).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a thread panicked")?)
            .collect::<Result<Vec<_>, Failure>>()
    })?;
    let took = start.elapsed().as_secs_f64().max(seconds) - seconds / 10.0;
    let done: Vec<_> =
        results.into_iter().flatten().filter(|(arrival, ..)| *arrival >= seconds / 10.0).collect();
    let mut times: Vec<f64> =
        done.iter().filter(|(.., status)| *status == 200).map(|(_, time, _)| *time).collect();
    times.sort_by(f64::total_cmp);
    let quantile = |q: f64| {
        times.get(((times.len() as f64 * q) as usize).min(times.len().saturating_sub(1))).map(|t| t * 1e3)
    };
    let count = |of: &dyn Fn(u16) -> bool| done.iter().filter(|(.., status)| of(*status)).count();
    println!(
        "{}",
        json!({
            "connections": n, "rate": rate, "achieved": times.len() as f64 / took, "ok": times.len(), "shed": count(&|s| s == 503),
            "failed": count(&|s| s != 200 && s != 503), "p50_ms": quantile(0.5), "p99_ms": quantile(0.99), "p999_ms": quantile(0.999), "max_ms": quantile(1.0),
        })
    );
    Ok(())
}
