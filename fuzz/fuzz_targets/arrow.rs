//! An Arrow file or stream: messages that describe schemas, dictionaries and batches, and their buffers.
#![no_main]

use headsmith_fuzz::read_table;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| read_table(bytes));
