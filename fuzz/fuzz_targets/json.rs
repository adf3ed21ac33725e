//! JSON with one object a row: frames of objects, strings and numbers that may be cut anywhere.
#![no_main]

use headsmith_fuzz::read_table;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| read_table(bytes));
