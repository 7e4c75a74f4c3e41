//! HTTP/1.1 as the benchmarks' servers need it: blocking, one thread for each connection, so that nothing but
//! the socket stands between a measurement and what is measured.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// A request, and when it had come in whole.
pub struct Request {
    /// Its method.
    pub method: String,
    /// Its path with its query.
    pub path: String,
    /// The value of `x-amz-target`; empty without one.
    pub target: String,
    /// Its body.
    pub body: Vec<u8>,
    /// When its last byte was read.
    pub at: Instant,
}

/// An answer.
pub struct Answer {
    /// The status, with its reason: `200 OK`.
    pub status: &'static str,
    /// Header lines beyond `Content-Length`, each with its line end.
    pub headers: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A JSON answer.
    pub fn json(status: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let headers = "Content-Type: application/json\r\n".to_owned();
        Self { status, headers, body: body.into() }
    }
}

/// What answers requests; it is told when its answer has been written.
pub trait Service: Send + Sync + 'static {
    /// The answer.
    fn answer(&self, request: Request) -> Answer;

    /// The answer has gone out.
    fn answered(&self, _received: Instant, _written: Instant) {}
}

/// Serves on a free loopback port until the process ends.
///
/// # Errors
/// When no port can be had.
pub fn serve(service: Arc<impl Service>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let service = Arc::clone(&service);
            thread::spawn(move || {
                // A peer that goes away is no fault.
                let _ = connection(&*service, stream);
            });
        }
    });
    Ok(address)
}

fn connection(service: &impl Service, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader, &mut writer)? {
        let received = request.at;
        let Answer { status, headers, body } = service.answer(request);
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
        let mut message = head.into_bytes();
        message.extend(body);
        writer.write_all(&message)?;
        service.answered(received, Instant::now());
    }
    Ok(())
}

/// The next request; `None` when the peer is done.
fn read(reader: &mut BufReader<TcpStream>, writer: &mut TcpStream) -> io::Result<Option<Request>> {
    let Some(start) = line(reader)? else { return Ok(None) };
    let mut words = start.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (mut length, mut chunked, mut target) = (0, false, String::new());
    while let Some(header) = line_of_head(reader)? {
        let Some((name, value)) = header.split_once(':') else { continue };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().map_err(io::Error::other)?,
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "x-amz-target" => value.clone_into(&mut target),
            "expect" => writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    while chunked {
        let size = line_of_head(reader)?.unwrap_or_default();
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; size];
        reader.read_exact(&mut chunk)?;
        body.append(&mut chunk);
        line(reader)?;
        chunked = size > 0;
    }
    Ok(Some(Request { method, path, target, body, at: Instant::now() }))
}

/// The next line; `None` at the end of the stream.
fn line(reader: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    let read = reader.read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim_end().to_owned()))
}

/// The next line; `None` for an empty one.
fn line_of_head(reader: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    Ok(line(reader)?.filter(|line| !line.is_empty()))
}
