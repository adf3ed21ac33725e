//! A form with a file (RFC 7578), streamed: the file is never held in memory.
//!
//! The bytes are the same as aicrowd-cli's, except for the boundary.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Cursor, Read};

/// A form: its text fields in their order, and the file last, as signed uploads to S3 require.
pub(crate) struct Form {
    boundary: String,
    head: Vec<u8>,
    tail: Vec<u8>,
    file_len: u64,
}

impl Form {
    pub(crate) fn new(fields: &[(String, String)], file_name: &str, file_len: u64) -> Form {
        Form::with_boundary(random_boundary(), fields, file_name, file_len)
    }

    fn with_boundary(boundary: String, fields: &[(String, String)], file_name: &str, file_len: u64) -> Form {
        let mut head = String::new();
        for (name, value) in fields {
            head += &format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n",
                quoted(name)
            );
        }
        head += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\r\n",
            quoted(file_name)
        );
        let tail = format!("\r\n--{boundary}--\r\n").into_bytes();
        Form { boundary, head: head.into_bytes(), tail, file_len }
    }

    pub(crate) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// The total length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.head.len() as u64 + self.file_len + self.tail.len() as u64
    }

    /// The form as sent; `sent` is called for each piece.
    pub(crate) fn reader<'a>(&'a self, file: impl Read + 'a, sent: impl FnMut(u64) + 'a) -> impl Read + 'a {
        let file = ExactReader { reader: file, left: self.file_len };
        let whole = Cursor::new(&self.head[..]).chain(file).chain(Cursor::new(&self.tail[..]));
        ProgressReader { reader: whole, sent }
    }
}

/// A name in a form, as browsers write it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\n', "%0A").replace('\r', "%0D")
}

/// 128 random bits, which no file contains by chance.
fn random_boundary() -> String {
    // Each state gets new keys from the system's randomness.
    let random = || RandomState::new().hash_one(0u8);
    format!("{:016x}{:016x}", random(), random())
}

/// A file whose length must not change while it is sent.
struct ExactReader<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for ExactReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.left.min(buffer.len() as u64) as usize;
        let n = self.reader.read(&mut buffer[..most])?;
        if n == 0 && most > 0 {
            return Err(io::Error::other("the file shrank while it was sent"));
        }
        self.left -= n as u64;
        Ok(n)
    }
}

struct ProgressReader<R, F> {
    reader: R,
    sent: F,
}

impl<R: Read, F: FnMut(u64)> Read for ProgressReader<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        (self.sent)(n as u64);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_its_declared_length() {
        let fields = [("key".to_owned(), "a/${filename}".to_owned()), ("p\"q".to_owned(), "x".to_owned())];
        let form = Form::with_boundary("b".to_owned(), &fields, "s.zip", 3);
        let mut text = String::new();
        let mut sent = 0;
        form.reader(&b"abc"[..], |n| sent += n).read_to_string(&mut text).unwrap();
        assert_eq!(
            text,
            "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na/${filename}\r\n\
             --b\r\nContent-Disposition: form-data; name=\"p%22q\"\r\n\r\nx\r\n\
             --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"s.zip\"\r\n\r\nabc\r\n--b--\r\n"
        );
        assert_eq!((form.len(), sent), (text.len() as u64, text.len() as u64));
        assert_ne!(random_boundary(), random_boundary());
    }

    #[test]
    fn a_file_that_shrinks_is_an_error() {
        let form = Form::new(&[], "s.zip", 5);
        assert!(form.reader(&b"abc"[..], |_| {}).read_to_end(&mut Vec::new()).is_err());
    }
}
