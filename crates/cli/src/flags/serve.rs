//! The flags of `headsmith serve`, and the options that they give.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use headsmith_server::{Limits, ModelFile, Options, TlsFiles};

use super::common::{self, file, switch};

/// `headsmith serve`
pub(crate) fn serve() -> Command {
    Command::new("serve")
        .about("Serve models over HTTP")
        .long_about(
            "Serves models over HTTP: /predict, the Open Inference Protocol (/v2) with its binary extension, MLflow's /invocations, Prometheus' /metrics, and a \
             description at /docs. SIGHUP reloads the models; SIGTERM and Ctrl-C finish the requests in progress, then exit.",
        )
        .args([models(), listen(), common::config(), common::jobs()])
        .args([
            file("token_file", "File with the token that requests must have; required unless the address is of this machine alone").long("token-file"),
            file("tls_cert", "Certificate chain (PEM): the server then speaks HTTPS").long("tls-cert").requires("tls_key"),
            file("tls_key", "Key of the certificate (PEM)").long("tls-key").requires("tls_cert"),
            Arg::new("allowed_host").long("allowed-host").value_name("NAME").action(ArgAction::Append).value_delimiter(',').help(
                "Name of a host that requests may be addressed to, beside localhost and addresses; may be given several times",
            ),
            switch("quiet", "Log failures and the server's own events alone").short('q'),
        ])
        .next_help_heading("Limits")
        .args(limits())
}

fn models() -> Arg {
    Arg::new("models")
        .value_name("MODEL")
        .required(true)
        .action(ArgAction::Append)
        .value_hint(ValueHint::FilePath)
        .value_parser(|text: &str| ModelFile::parse(text).map_err(|error| error.to_string()))
        .help("Model files, each served by its name without ending; NAME=MODEL gives it another name")
}

fn listen() -> Arg {
    Arg::new("listen")
        .long("listen")
        .value_name("ADDRESS:PORT")
        .value_parser(value_parser!(SocketAddr))
        .default_value("127.0.0.1:8080")
        .help("Address to listen on; port 0: a free one; off this machine (such as 0.0.0.0:8080) a token is required")
}

fn limits() -> [Arg; 11] {
    let default = Limits::default();
    let number = |name, long, unit, value: usize, help| {
        limit(name, (long, unit), value, value_parser!(u64).range(1..), help)
    };
    let seconds = |name, long, value: Duration, help| {
        limit(name, (long, "SECONDS"), value.as_secs() as usize, value_parser!(u64).range(1..=86_400), help)
    };
    [
        number(
            "max_connections",
            "max-connections",
            "N",
            default.connections,
            "Connections at once; further ones get 503",
        ),
        number(
            "max_body",
            "max-body",
            "BYTES",
            default.body_bytes,
            "Length of a request's body; longer ones get 413",
        ),
        number(
            "max_memory",
            "max-memory",
            "BYTES",
            default.memory_bytes,
            "Bodies, rows and answers of all requests at once; further requests get 503",
        ),
        number("max_rows", "max-rows", "N", default.rows, "Rows per request; larger requests get 413"),
        number(
            "max_queue",
            "max-queue",
            "N",
            default.queue,
            "Requests that wait for a prediction; further ones get 503",
        ),
        number(
            "max_batch",
            "max-batch",
            "ROWS",
            default.batch_rows,
            "Rows of several requests that are predicted at once",
        ),
        limit(
            "batch_wait",
            ("batch-wait", "MS"),
            0,
            value_parser!(u64).range(0..=10_000),
            "How long a request waits for others to join its batch, in milliseconds; 0: a batch holds what arrived during the previous one",
        ),
        seconds(
            "header_timeout",
            "header-timeout",
            default.header_timeout,
            "Time for a request's headers, and between two requests of a connection",
        ),
        seconds(
            "body_timeout",
            "body-timeout",
            default.body_timeout,
            "Time for a request's body; longer gets 408",
        ),
        seconds(
            "write_timeout",
            "write-timeout",
            default.write_timeout,
            "Time in which a client must take some bytes of an answer",
        ),
        seconds(
            "drain_timeout",
            "drain-timeout",
            default.drain_timeout,
            "Time that requests under way have after SIGTERM",
        ),
    ]
}

fn limit(
    name: &'static str,
    (long, unit): (&'static str, &'static str),
    default: usize,
    parser: impl Into<ValueParser>,
    help: &'static str,
) -> Arg {
    Arg::new(name)
        .long(long)
        .value_name(unit)
        .default_value(default.to_string())
        .value_parser(parser.into())
        .help(help)
}

/// The options that were given, but the token, which is in a file.
pub(crate) fn given(matches: &ArgMatches) -> Option<Options> {
    let mut models = matches.get_many::<ModelFile>("models")?.cloned();
    let mut options = Options::new(models.next()?);
    options.models.extend(models);
    options.listen = *matches.get_one("listen")?;
    options.n_threads = common::threads(matches);
    options.quiet = matches.get_flag("quiet");
    options.allowed_hosts = matches.get_many("allowed_host").into_iter().flatten().cloned().collect();
    let file = |id| matches.get_one::<PathBuf>(id).cloned();
    options.tls =
        file("tls_cert").zip(file("tls_key")).map(|(certificate, key)| TlsFiles { certificate, key });
    options.limits = given_limits(matches)?;
    Some(options)
}

fn given_limits(matches: &ArgMatches) -> Option<Limits> {
    let number = |id| matches.get_one::<u64>(id).map(|n| usize::try_from(*n).unwrap_or(usize::MAX));
    let seconds = |id| matches.get_one::<u64>(id).map(|n| Duration::from_secs(*n));
    Some(Limits {
        connections: number("max_connections")?,
        body_bytes: number("max_body")?,
        memory_bytes: number("max_memory")?,
        rows: number("max_rows")?,
        queue: number("max_queue")?,
        batch_rows: number("max_batch")?,
        batch_wait: Duration::from_millis(*matches.get_one("batch_wait")?),
        header_timeout: seconds("header_timeout")?,
        body_timeout: seconds("body_timeout")?,
        write_timeout: seconds("write_timeout")?,
        drain_timeout: seconds("drain_timeout")?,
    })
}
