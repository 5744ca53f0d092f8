//! A blocking client of one kept-alive HTTP/1.1 connection.
//!
//! Tells apart what the rows are about: a whole answer, and a connection that broke before there was
//! one. An exchange that lives and does not answer is neither and fails the row.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;
use units::Amount;

/// A connection.
pub(crate) struct Http(BufReader<TcpStream>);

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// Empty for none.
    pub(crate) token: &'a str,
    /// The header `Idempotency-Key`; empty for none.
    pub(crate) key: &'a str,
    pub(crate) body: &'a str,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

/// The connection broke before the answer was whole: nobody knows what became of the request.
#[derive(Debug)]
pub(crate) struct Broken;

impl<'a> Request<'a> {
    /// Asks without a body.
    pub(crate) const fn get(path: &'a str, token: &'a str) -> Self {
        Self { method: "GET", path, token, key: "", body: "" }
    }

    /// The request as it is sent.
    pub(crate) fn bytes(&self) -> String {
        let Request { method, path, token, key, body } = self;
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: t\r\n");
        if !token.is_empty() {
            text += &format!("authorization: Bearer {token}\r\n");
        }
        if !key.is_empty() {
            text += &format!("idempotency-key: {key}\r\n");
        }
        text += &format!("content-length: {}\r\n\r\n{body}", body.len());
        text
    }
}

impl Http {
    pub(crate) fn connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIME))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Asks and waits for the whole answer. A request for which the exchange has no time now is sent
    /// again, as its answer says: all of them have keys or change nothing.
    pub(crate) fn call(&mut self, request: Request<'_>) -> Result<Answer, Broken> {
        let began = Instant::now();
        loop {
            let answer = self.exchange(request).map_err(|fault| {
                let silent = matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                assert!(!silent, "no answer to {request:?} in {ANSWER_TIME:?}");
                Broken
            })?;
            if answer.status != 503 {
                return Ok(answer);
            }
            assert!(began.elapsed() < ANSWER_TIME, "{request:?} gets {answer:?} for too long");
        }
    }

    /// Asks an exchange that nobody kills meanwhile.
    pub(crate) fn ask(&mut self, request: Request<'_>) -> Answer {
        self.call(request).unwrap_or_else(|Broken| panic!("the connection broke at {request:?}"))
    }

    /// Asks once.
    pub(crate) fn exchange(&mut self, request: Request<'_>) -> io::Result<Answer> {
        self.0.get_mut().write_all(request.bytes().as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.unwrap_or_else(|| panic!("a status line: {first:?}"));
        let mut size = 0;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                size = value.trim().parse().expect("a size");
            }
        }
        let mut body = vec![0; size];
        self.0.read_exact(&mut body)?;
        Ok(Answer { status, text: String::from_utf8(body).expect("UTF-8") })
    }

    /// A whole line; the end of the stream before its end is a broken connection.
    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Answer {
    /// The body as JSON, if the status is the one that must be.
    pub(crate) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).expect("JSON")
    }
}

/// A text that must be in an object.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_else(|| panic!("no text {name} in {object}"))
}

/// A decimal that must be in an object.
pub(crate) fn amount(object: &Value, name: &str) -> Amount {
    text(object, name).parse().unwrap_or_else(|fault| panic!("{name} in {object}: {fault}"))
}

/// A count that must be in an object.
pub(crate) fn count(object: &Value, name: &str) -> u64 {
    object[name].as_u64().unwrap_or_else(|| panic!("no count {name} in {object}"))
}

/// A list that must be in an object.
pub(crate) fn list<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object[name].as_array().unwrap_or_else(|| panic!("no list {name} in {object}"))
}

/// Beyond it an exchange that lives hangs.
const ANSWER_TIME: Duration = Duration::from_secs(30);
