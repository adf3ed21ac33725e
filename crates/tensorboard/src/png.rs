//! PNG: 8-bit RGB, one zlib stream of unfiltered lines. Source: RFC 2083 (the pictures are flat, so filters gain little).

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A picture of `width` pixels a line, 3 bytes a pixel.
pub(crate) fn encode(width: usize, rgb: &[u8]) -> Vec<u8> {
    let height = rgb.len() / (3 * width).max(1);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let size = [width, height].map(|pixels| (pixels as u32).to_be_bytes()).concat();
    // 8 bits a sample, RGB, deflate, no filter but the standard five, not interlaced.
    chunk(&mut png, b"IHDR", &[&size[..], &[8, 2, 0, 0, 0]].concat());
    chunk(&mut png, b"IDAT", &deflate(rgb, 3 * width));
    chunk(&mut png, b"IEND", &[]);
    png
}

fn deflate(rgb: &[u8], line: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // What is written to memory is written.
    for line in rgb.chunks(line.max(1)) {
        let _ = encoder.write_all(&[0]);
        let _ = encoder.write_all(line);
    }
    encoder.finish().unwrap_or_default()
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    png.extend((data.len() as u32).to_be_bytes());
    let start = png.len();
    png.extend(kind);
    png.extend(data);
    let checksum = crc32fast::hash(&png[start..]);
    png.extend(checksum.to_be_bytes());
}
