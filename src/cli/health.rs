//! `midan health`: asks a running service whether it is ready; what a container's health check calls, so the image needs no other tool.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

/// How long the service may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `url` (plain HTTP on this machine) and answers success for 200.
pub(super) fn ask(url: &str) -> anyhow::Result<ExitCode> {
    let rest = url.strip_prefix("http://").ok_or_else(|| anyhow::anyhow!("--url {url}: write http://HOST:PORT/PATH"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).map_err(|why| anyhow::anyhow!("{url}: {why}; is the service running there?"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(4_096).read_to_string(&mut answer)?;
    let status = answer.split_whitespace().nth(1).unwrap_or("no answer");
    println!("{url}: {status}");
    Ok(if status == "200" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
