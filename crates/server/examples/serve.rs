//! A server in a program of one's own: `serve MODEL.. ADDRESS:PORT`.

use headsmith_server::{ModelFile, Options, Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((listen, models)) = args.split_last().filter(|(_, models)| !models.is_empty()) else {
        return Err("usage: serve MODEL.. ADDRESS:PORT".into());
    };
    let models = models.iter().map(|text| ModelFile::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let n_threads = std::thread::available_parallelism()?.get();
    let options =
        Options { listen: listen.parse()?, n_threads, quiet: true, ..Options::new(models[0].clone()) };
    let server = Server::bind(Options { models, ..options })?;
    println!("http://{}", server.address()?);
    Ok(server.run()?)
}
