//! safetensors: headers that claim shapes and places.
#![no_main]

use headsmith_fuzz::read_table;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| read_table(bytes));
